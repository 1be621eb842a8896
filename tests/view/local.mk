check_PROGRAMS += %D%/check_view %D%/check_regions %D%/check_golden
%C%_check_view_SOURCES = %D%/check_view.c %D%/samples.c %D%/samples.h %D%/screen.c %D%/screen.h
%C%_check_regions_SOURCES = %D%/check_regions.c %D%/samples.c %D%/samples.h %D%/screen.c %D%/screen.h
%C%_check_regions_LDADD = $(CHECK_LDADD)
%C%_check_view_LDADD = $(CHECK_LDADD)
%C%_check_golden_SOURCES = %D%/check_golden.c %D%/samples.c %D%/samples.h
%C%_check_golden_LDADD = $(CHECK_LDADD)
check_PROGRAMS += %D%/check_settings_view
%C%_check_settings_view_SOURCES = %D%/check_settings_view.c %D%/samples.c %D%/samples.h
%C%_check_settings_view_LDADD = $(CHECK_LDADD)
# Screens a person has looked at; `check_golden write DIR` makes them anew.
dist_noinst_DATA += \
  %D%/golden/alarm-20x5.exp \
  %D%/golden/alarm-80x24.exp \
  %D%/golden/ascii-100x30.exp \
  %D%/golden/ascii-200x60.exp \
  %D%/golden/ascii-20x5.exp \
  %D%/golden/ascii-40x16.exp \
  %D%/golden/ascii-80x24.exp \
  %D%/golden/cell-80x24.exp \
  %D%/golden/counts-map-80x24.exp \
  %D%/golden/cursor-80x24.exp \
  %D%/golden/detector-80x24.exp \
  %D%/golden/density-map-80x24.exp \
  %D%/golden/drift-map-80x24.exp \
  %D%/golden/empty-80x24.exp \
  %D%/golden/error-map-80x24.exp \
  %D%/golden/faint-80x24.exp \
  %D%/golden/frozen-80x24.exp %D%/golden/slice-80x24.exp %D%/golden/slice-200x60.exp %D%/golden/slice-40x16.exp %D%/golden/plane-80x24.exp \
  %D%/golden/health-80x24.exp \
  %D%/golden/help-40x16.exp \
  %D%/golden/help-80x24.exp \
  %D%/golden/instrument-80x24.exp \
  %D%/golden/lithium-map-80x24.exp \
  %D%/golden/map-80x24.exp \
  %D%/golden/overview-100x30.exp \
  %D%/golden/overview-200x60.exp \
  %D%/golden/overview-20x5.exp \
  %D%/golden/overview-40x16.exp \
  %D%/golden/overview-80x24.exp \
  %D%/golden/profile-80x24.exp \
  %D%/golden/reference-80x24.exp \
  %D%/golden/roi-100x30.exp \
  %D%/golden/spectrum-80x24.exp \
  %D%/golden/spectrum-linear-80x24.exp \
  %D%/golden/tomography-80x24.exp \
  %D%/golden/difference-80x24.exp \
  %D%/golden/hits-map-80x24.exp \
  %D%/golden/map-200x60.exp \
  %D%/golden/rois-cell-100x30.exp \
  %D%/golden/rois-profile-100x30.exp \
  %D%/golden/rois-profile-ascii-80x24.exp \
  %D%/golden/cell-100x30.exp \
  %D%/golden/cell-200x60.exp \
  %D%/golden/cell-40x16.exp \
  %D%/golden/empty-100x30.exp \
  %D%/golden/empty-200x60.exp \
  %D%/golden/empty-20x5.exp \
  %D%/golden/empty-mono-80x24.exp \
  %D%/golden/extreme-100x30.exp \
  %D%/golden/extreme-200x60.exp \
  %D%/golden/extreme-20x5.exp \
  %D%/golden/extreme-80x24.exp \
  %D%/golden/extreme-cell-80x24.exp \
  %D%/golden/extreme-health-80x24.exp \
  %D%/golden/extreme-instrument-80x24.exp \
  %D%/golden/extreme-map-80x24.exp \
  %D%/golden/extreme-profile-80x24.exp \
  %D%/golden/extreme-spectrum-80x24.exp \
  %D%/golden/focus-80x24.exp \
  %D%/golden/health-100x30.exp \
  %D%/golden/health-200x60.exp \
  %D%/golden/health-40x16.exp \
  %D%/golden/instrument-100x30.exp \
  %D%/golden/instrument-200x60.exp \
  %D%/golden/instrument-40x16.exp \
  %D%/golden/map-40x16.exp \
  %D%/golden/nan-100x30.exp \
  %D%/golden/nan-200x60.exp \
  %D%/golden/nan-20x5.exp \
  %D%/golden/nan-80x24.exp \
  %D%/golden/nan-cell-80x24.exp \
  %D%/golden/nan-health-80x24.exp \
  %D%/golden/nan-instrument-80x24.exp \
  %D%/golden/nan-map-80x24.exp \
  %D%/golden/nan-profile-80x24.exp \
  %D%/golden/nan-spectrum-80x24.exp \
  %D%/golden/profile-100x30.exp \
  %D%/golden/profile-200x60.exp \
  %D%/golden/profile-40x16.exp \
  %D%/golden/shared-map-80x24.exp \
  %D%/golden/spectrum-100x30.exp \
  %D%/golden/spectrum-200x60.exp \
  %D%/golden/spectrum-40x16.exp \
  %D%/golden/stale-100x30.exp \
  %D%/golden/stale-200x60.exp \
  %D%/golden/stale-20x5.exp \
  %D%/golden/stale-80x24.exp \
  %D%/golden/stale-cell-80x24.exp \
  %D%/golden/stale-health-80x24.exp
check_PROGRAMS += %D%/check_paint
%C%_check_paint_SOURCES = %D%/check_paint.c %D%/samples.c %D%/samples.h
%C%_check_paint_LDADD = $(CHECK_LDADD)
dist_noinst_DATA += %D%/golden/settings-20x5.exp %D%/golden/settings-80x24.exp %D%/golden/settings-100x30.exp \
  %D%/golden/settings-edit-40x16.exp %D%/golden/settings-refused-80x24.exp \
  %D%/golden/overview-40x10.exp %D%/golden/profile-40x10.exp %D%/golden/cell-40x10.exp %D%/golden/slice-40x10.exp \
  %D%/golden/health-20x5.exp %D%/golden/plane-60x20.exp
