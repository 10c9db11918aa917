# Installs the library, its headers and its CMake package; in a wheel all of it lies inside the Python package.
include(CMakePackageConfigHelpers)

install(TARGETS rfseg EXPORT rfsegTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/csrc/include/rfseg DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/docs/contract.md DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rfseg)  # headers cite it
install(FILES ${PROJECT_BINARY_DIR}/include/rfseg/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rfseg)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/rfseg)
install(EXPORT rfsegTargets NAMESPACE rfseg:: DESTINATION ${package_directory})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/rfsegConfig.cmake.in ${PROJECT_BINARY_DIR}/rfsegConfig.cmake
  INSTALL_DESTINATION ${package_directory})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rfsegConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rfsegConfig.cmake ${PROJECT_BINARY_DIR}/rfsegConfigVersion.cmake
  DESTINATION ${package_directory})
