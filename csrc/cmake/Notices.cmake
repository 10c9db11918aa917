# Puts into a wheel the licences of what is compiled into it, and a list of that (SBOM, CycloneDX; PEP 770 says where).
# OpenCV of the system is not inside, and so not listed.

set(notices ${PROJECT_BINARY_DIR}/notices)
set(components "")
file(MAKE_DIRECTORY ${notices})

function(rfseg_component name version license purl)
  set(entry "{\"type\": \"library\", \"name\": \"${name}\", \"version\": \"${version}\", \"purl\": \"${purl}\", ")
  string(APPEND entry "\"licenses\": [{\"license\": {\"id\": \"${license}\"}}]}")
  set(components ${components} ${entry} PARENT_SCOPE)
endfunction()

execute_process(COMMAND ${Python_EXECUTABLE} -c [[
import importlib.metadata, shutil, sys
found = [file.locate() for file in importlib.metadata.files("pybind11") or () if file.name == "LICENSE"]
shutil.copyfile(found[0], sys.argv[1])
print(importlib.metadata.version("pybind11"), end="")]] ${notices}/pybind11-LICENSE
  OUTPUT_VARIABLE pybind11_release COMMAND_ERROR_IS_FATAL ANY)
rfseg_component(pybind11 ${pybind11_release} BSD-3-Clause pkg:pypi/pybind11@${pybind11_release})

if(RFSEG_OPENCV_PREFIX)
  file(GLOB opencv_notices ${RFSEG_OPENCV_PREFIX}/share/licenses/opencv4/*)
  if(NOT opencv_notices)
    message(FATAL_ERROR "${RFSEG_OPENCV_PREFIX} has no licences (share/licenses/opencv4), which a wheel must carry")
  endif()
  file(COPY ${opencv_notices} DESTINATION ${notices})
  file(WRITE ${notices}/OpenCV-LICENSE
    "OpenCV ${OpenCV_VERSION}, core and imgproc, https://opencv.org: Apache License 2.0, whose text is in LICENSE.\n")
  rfseg_component(opencv ${OpenCV_VERSION} Apache-2.0 pkg:github/opencv/opencv@${OpenCV_VERSION})
  rfseg_component(zlib "as in OpenCV ${OpenCV_VERSION}" Zlib pkg:generic/zlib)
  rfseg_component(SoftFloat "3c, as in OpenCV ${OpenCV_VERSION}" BSD-3-Clause pkg:generic/softfloat@3c)
  rfseg_component(dlpack "as in OpenCV ${OpenCV_VERSION}" Apache-2.0 pkg:github/dmlc/dlpack)
endif()

list(JOIN components ",\n    " components)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/rfseg.cdx.json @ONLY CONTENT [[{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {
    "component": {"type": "library", "name": "rfseg", "version": "@rfseg_version@", "purl": "pkg:pypi/rfseg@@rfseg_version@"}
  },
  "components": [
    @components@
  ]
}
]])

install(DIRECTORY ${notices}/ DESTINATION ${SKBUILD_METADATA_DIR}/licenses/third_party)
install(FILES ${PROJECT_BINARY_DIR}/rfseg.cdx.json DESTINATION ${SKBUILD_METADATA_DIR}/sboms)
