noinst_LIBRARIES += %D%/libpipeline.a
%C%_libpipeline_a_SOURCES = %D%/publish.c %D%/pace.c %D%/replay.c %D%/simulate.c %D%/playlist.c %D%/playlist.h %D%/clips.c %D%/clips.h \
  %D%/socket.c %D%/socket.h %D%/lot.h %D%/receive.c %D%/receive.h %D%/aim.c %D%/aim.h %D%/change.c %D%/change.h %D%/analyse.c %D%/crew.c %D%/crew.h %D%/faults.c %D%/faults.h %D%/reconstruct.c %D%/camera.c %D%/camera.h %D%/camera_follow.c %D%/camera_picture.c %D%/painter.c %D%/painter.h %D%/preview.c %D%/preview.h %D%/picture.c %D%/picture_maps.c %D%/picture.h \
  %D%/scalars.c %D%/archiver.c %D%/packer.c %D%/packer.h %D%/events.c %D%/events.h %D%/box.c %D%/box.h
%C%_libpipeline_a_SOURCES += %D%/truth.c %D%/truth.h
%C%_libpipeline_a_SOURCES += %D%/calibrate.c %D%/reader.c %D%/reader.h %D%/keys.c %D%/keys.h
%C%_libpipeline_a_SOURCES += %D%/watch.c %D%/watch.h
%C%_libpipeline_a_SOURCES += %D%/monitors.c %D%/monitors.h
%C%_libpipeline_a_SOURCES += %D%/tape.c %D%/tape.h
%C%_libpipeline_a_SOURCES += %D%/angles.c %D%/angles.h %D%/slice_out.c %D%/slice_out.h %D%/phase.c %D%/phase.h %D%/planes.c %D%/planes.h
