# What `cmake --install` gives: headers, libraries, and what find_package(tern) and pkg-config read. The
# tree can be moved: each file finds the others from where it lies itself.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(TERN_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/tern)
set(TERN_PACKAGE_DIR ${PROJECT_BINARY_DIR}/package)

set(TERN_TARGETS tern)
if(TARGET tern_shared)
  list(APPEND TERN_TARGETS tern_shared)
endif()
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME tern)  # the program is a component of its own, tern_cli
install(TARGETS ${TERN_TARGETS} EXPORT ternTargets
  RUNTIME COMPONENT tern LIBRARY COMPONENT tern ARCHIVE COMPONENT tern
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/capi/tern.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tern DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/tern)
install(EXPORT ternTargets NAMESPACE tern:: DESTINATION ${TERN_CMAKE_DIR})
if(TARGET tern_cli)
  install(TARGETS tern_cli RUNTIME COMPONENT tern_cli)
endif()

# What the archive needs beside itself. Where there is a shared library, its hosts do not need it, and
# pkg-config tells it with --static.
set(TERN_RUNTIME_LIBS stdc++ m)
if(APPLE OR CMAKE_SYSTEM_NAME STREQUAL "WASI")
  set(TERN_RUNTIME_LIBS c++ m)
endif()
list(TRANSFORM TERN_RUNTIME_LIBS PREPEND "-l" OUTPUT_VARIABLE TERN_PC_LIBS)
if(TERN_THREADS)
  list(APPEND TERN_PC_LIBS -pthread)
endif()
list(JOIN TERN_PC_LIBS " " TERN_PC_LIBS)
set(TERN_PC_LIBS_PRIVATE)
if(TARGET tern_shared)
  set(TERN_PC_LIBS_PRIVATE "${TERN_PC_LIBS}")
  set(TERN_PC_LIBS)
endif()
file(RELATIVE_PATH TERN_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" TERN_PC_PREFIX "${TERN_PC_PREFIX}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/package/tern.pc.in ${TERN_PACKAGE_DIR}/tern.pc @ONLY)
install(FILES ${TERN_PACKAGE_DIR}/tern.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/package/ternConfig.cmake.in
  ${TERN_PACKAGE_DIR}/ternConfig.cmake INSTALL_DESTINATION ${TERN_CMAKE_DIR})
# Before 1.0 the C++ API may change with the minor version.
write_basic_package_version_file(${TERN_PACKAGE_DIR}/ternConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${TERN_PACKAGE_DIR}/ternConfig.cmake ${TERN_PACKAGE_DIR}/ternConfigVersion.cmake
  DESTINATION ${TERN_CMAKE_DIR})
