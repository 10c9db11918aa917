# Gives the target rfseg::opencv: OpenCV's core and imgproc. The system's when its headers and libraries are there;
# otherwise a static build of the source that pip downloads, made once and kept in the user's cache folder.
#
#   RFSEG_OPENCV         auto (default) | system | static
#   RFSEG_OPENCV_PREFIX  an installation to use instead of either

set(RFSEG_OPENCV "auto" CACHE STRING "Where OpenCV comes from: auto, system or static")
set(RFSEG_OPENCV_PREFIX "" CACHE PATH "Prefix of an OpenCV installation with core and imgproc")
set(RFSEG_OPENCV_VERSION 4.14.0.94)

add_library(rfseg_opencv INTERFACE)
add_library(rfseg::opencv ALIAS rfseg_opencv)

# Debian's libopencv-imgproc-dev has no package file of CMake's, hence the search by hand.
function(rfseg_find_system_opencv found)
  find_path(RFSEG_OPENCV_INCLUDE opencv2/imgproc.hpp PATH_SUFFIXES opencv4)
  find_library(RFSEG_OPENCV_CORE opencv_core)
  find_library(RFSEG_OPENCV_IMGPROC opencv_imgproc)
  mark_as_advanced(RFSEG_OPENCV_INCLUDE RFSEG_OPENCV_CORE RFSEG_OPENCV_IMGPROC)
  if(RFSEG_OPENCV_INCLUDE AND RFSEG_OPENCV_CORE AND RFSEG_OPENCV_IMGPROC)
    target_include_directories(rfseg_opencv SYSTEM INTERFACE ${RFSEG_OPENCV_INCLUDE})
    target_link_libraries(rfseg_opencv INTERFACE ${RFSEG_OPENCV_IMGPROC} ${RFSEG_OPENCV_CORE})
    set(${found} TRUE PARENT_SCOPE)
  else()
    set(${found} FALSE PARENT_SCOPE)
  endif()
endfunction()

function(rfseg_cache_directory directory)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(${directory} "$ENV{XDG_CACHE_HOME}/rfseg" PARENT_SCOPE)
  elseif(DEFINED ENV{HOME})
    set(${directory} "$ENV{HOME}/.cache/rfseg" PARENT_SCOPE)
  else()
    set(${directory} "${CMAKE_BINARY_DIR}/rfseg-cache" PARENT_SCOPE)
  endif()
endfunction()

function(rfseg_run step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    message(FATAL_ERROR "OpenCV: ${step} failed (${failed}).\n${output}\n"
      "Install OpenCV (Debian and Ubuntu: libopencv-imgproc-dev) or pass -DRFSEG_OPENCV_PREFIX=PATH.")
  endif()
endfunction()

# Builds into a folder of its own and renames it at the end, so that a build that was cut off is never taken for one
# that finished, and two builds at once do no harm.
function(rfseg_build_static_opencv prefix)
  find_package(Python COMPONENTS Interpreter REQUIRED)
  string(RANDOM LENGTH 8 unique)
  set(work "${prefix}.${unique}")
  file(MAKE_DIRECTORY ${work})
  message(STATUS "OpenCV ${RFSEG_OPENCV_VERSION}: fetching the source with pip (96 MB)")
  rfseg_run("fetching the source" ${Python_EXECUTABLE} -m pip download --quiet --no-deps --no-binary
    opencv-python-headless --dest ${work} opencv-python-headless==${RFSEG_OPENCV_VERSION})
  rfseg_run("unpacking" ${CMAKE_COMMAND} -E chdir ${work} ${CMAKE_COMMAND} -E tar xf
    opencv_python_headless-${RFSEG_OPENCV_VERSION}.tar.gz)
  message(STATUS "OpenCV ${RFSEG_OPENCV_VERSION}: building core and imgproc, once (about 4 minutes on 2 cores)")
  set(off WITH_IPP WITH_ITT BUILD_ITT WITH_OPENCL WITH_LAPACK WITH_EIGEN WITH_TBB WITH_OPENMP WITH_PTHREADS_PF
    WITH_CUDA WITH_VA WITH_PROTOBUF WITH_FLATBUFFERS WITH_ADE WITH_JPEG WITH_PNG WITH_TIFF WITH_WEBP WITH_OPENJPEG
    WITH_JASPER WITH_OPENEXR WITH_AVIF WITH_JPEGXL WITH_GIF WITH_FFMPEG WITH_GSTREAMER WITH_V4L WITH_GTK WITH_QUIRC CV_TRACE BUILD_SHARED_LIBS BUILD_TESTS BUILD_PERF_TESTS
    BUILD_EXAMPLES BUILD_JAVA BUILD_opencv_apps BUILD_opencv_python3 BUILD_opencv_python_bindings_generator
    BUILD_opencv_java_bindings_generator)
  list(TRANSFORM off REPLACE "(.+)" "-D\\1=OFF")
  rfseg_run("configuring" ${CMAKE_COMMAND} -S ${work}/opencv_python_headless-${RFSEG_OPENCV_VERSION}/opencv -B ${work}/build
    -G ${CMAKE_GENERATOR} -DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
    -DCMAKE_BUILD_TYPE=Release -DBUILD_LIST=core,imgproc -DENABLE_PIC=ON -DBUILD_ZLIB=ON -DCPU_DISPATCH= ${off}
    -DCMAKE_CXX_FLAGS=-ffile-prefix-map=${work}=opencv  # messages name sources: two builds shall give the same bytes
    -DCMAKE_INSTALL_PREFIX=${work}/install)
  rfseg_run("building" ${CMAKE_COMMAND} --build ${work}/build --parallel --target install)
  if(NOT EXISTS ${prefix})
    file(RENAME ${work}/install ${prefix})
  endif()
  file(REMOVE_RECURSE ${work})
endfunction()

set(system_opencv FALSE)
if(NOT RFSEG_OPENCV_PREFIX AND NOT RFSEG_OPENCV STREQUAL "static")
  rfseg_find_system_opencv(system_opencv)
  if(NOT system_opencv AND RFSEG_OPENCV STREQUAL "system")
    message(FATAL_ERROR "RFSEG_OPENCV=system, but no OpenCV was found. Debian and Ubuntu: apt install libopencv-imgproc-dev")
  endif()
endif()

if(system_opencv)
  message(STATUS "OpenCV: ${RFSEG_OPENCV_IMGPROC}")
else()
  if(NOT RFSEG_OPENCV_PREFIX)
    rfseg_cache_directory(cache)
    set(RFSEG_OPENCV_PREFIX
      "${cache}/opencv-${RFSEG_OPENCV_VERSION}-${CMAKE_CXX_COMPILER_ID}-${CMAKE_CXX_COMPILER_VERSION}-${CMAKE_SYSTEM_PROCESSOR}")
    if(NOT EXISTS ${RFSEG_OPENCV_PREFIX})
      rfseg_build_static_opencv(${RFSEG_OPENCV_PREFIX})
    endif()
  endif()
  message(STATUS "OpenCV: ${RFSEG_OPENCV_PREFIX}")
  find_package(OpenCV REQUIRED COMPONENTS core imgproc PATHS ${RFSEG_OPENCV_PREFIX} NO_DEFAULT_PATH)
  target_link_libraries(rfseg_opencv INTERFACE opencv_imgproc opencv_core)
endif()
