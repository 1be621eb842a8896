noinst_LIBRARIES += %D%/libview.a
%C%_libview_a_SOURCES = %D%/tomoview.c %D%/planeview.c %D%/view.c %D%/panels.h %D%/mapview.c %D%/figures.c %D%/health.c %D%/monitors.c %D%/detector.c %D%/curves.c %D%/profile.c %D%/spectrum.c %D%/trend.c %D%/age.c %D%/keys.c %D%/heatmap.c %D%/heatmap.h %D%/outline.c \
  %D%/font.c %D%/raster.c %D%/raster.h %D%/bar.c %D%/ramp.c %D%/theme.c %D%/settings_view.c %D%/range.c %D%/plot.c %D%/plot.h %D%/canvas.c %D%/canvas.h %D%/words.c %D%/words.h
