# Installs the library, moves what was installed, and builds hosts on it: through find_package and through
# pkg-config, in C and in C++, static and shared. Nothing that is installed may know where it was built.
#
#   cmake -DBUILD=<build folder> -DROOT=<checkout> -DOUT=<folder> -DMODEL=<file> -DCC=cc -DCXX=c++
#         -DGENERATOR=Ninja -DPKG_CONFIG=pkg-config -P installed_package.cmake
cmake_minimum_required(VERSION 3.21)

# run(command...): a command that must succeed; its output is shown when it does not.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(PREFIX "${OUT}/moved here")
file(REMOVE_RECURSE "${OUT}")
run(${CMAKE_COMMAND} --install "${BUILD}" --component tern --prefix "${OUT}/first")
file(RENAME "${OUT}/first" "${PREFIX}")

# What must be there, wherever the libraries of this system go.
file(GLOB_RECURSE installed RELATIVE "${PREFIX}" "${PREFIX}/*")
foreach(name "include/tern\\.h" "include/tern/tern\\.hpp" "libtern\\.a" "libtern\\.so" "libtern\\.so\\.[0-9]+"
    "cmake/tern/ternConfig\\.cmake" "cmake/tern/ternConfigVersion\\.cmake" "cmake/tern/ternTargets\\.cmake"
    "pkgconfig/tern\\.pc")
  if(NOT installed MATCHES "(^|[/;])${name}(;|$)")
    message(SEND_ERROR "nothing of the name ${name} is installed")
  endif()
endforeach()
foreach(name IN LISTS installed)
  if(NOT name MATCHES "\\.(cmake|pc)$")
    continue()
  endif()
  file(READ "${PREFIX}/${name}" text)
  foreach(path "${ROOT}" "${BUILD}" "${OUT}")
    string(FIND "${text}" "${path}" found)
    if(NOT found EQUAL -1)
      message(SEND_ERROR "${name} names ${path}")
    endif()
  endforeach()
endforeach()

# find_package, for a project in C alone, too.
foreach(languages "C" "C;CXX")
  string(REPLACE ";" "_" folder "${languages}")
  string(REPLACE ";" "\\;" languages "${languages}")
  run(${CMAKE_CTEST_COMMAND}
    --build-and-test ${ROOT}/tests/consumer/installed ${OUT}/build_${folder}
    --build-generator ${GENERATOR}
    --build-options "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DHOST_LANGUAGES=${languages}" -DMODEL=${MODEL}
      -DCMAKE_C_COMPILER=${CC} -DCMAKE_CXX_COMPILER=${CXX}
    --test-command ${CMAKE_CTEST_COMMAND} --output-on-failure)
endforeach()

# pkg-config. The programs run where no search path leads to the library but the one that is given.
file(GLOB_RECURSE pc "${PREFIX}/*/tern.pc")
get_filename_component(pc "${pc}" DIRECTORY)
get_filename_component(libraries "${pc}" DIRECTORY)
set(ENV{PKG_CONFIG_PATH} "${pc}")

# flags(OUT argument...): what pkg-config says, as a list.
function(flags out)
  run(${PKG_CONFIG} --cflags --libs ${ARGN} tern)
  string(STRIP "${output}" output)
  separate_arguments(output UNIX_COMMAND "${output}")
  set(${out} "${output}" PARENT_SCOPE)
endfunction()

set(C_HOST ${ROOT}/tests/consumer/c99_program.c)
set(CPP_HOST -fno-exceptions -fno-rtti ${ROOT}/tests/consumer/no_exceptions_program.cpp)
flags(shared)
run(${CC} -std=c99 ${C_HOST} ${shared} -o ${OUT}/pc_c_shared)
run(${CMAKE_COMMAND} -E env "LD_LIBRARY_PATH=${libraries}" ${OUT}/pc_c_shared ${MODEL})
execute_process(COMMAND ${OUT}/pc_c_shared ${MODEL} RESULT_VARIABLE status ERROR_QUIET)
if(status EQUAL 0)
  message(SEND_ERROR "the program of the shared library does not need it")
endif()

flags(static --static)
run(${CC} -std=c99 ${C_HOST} -static ${static} -o ${OUT}/pc_c_static)
run(${OUT}/pc_c_static ${MODEL})
run(${CXX} -std=c++20 ${CPP_HOST} -static ${static} -o ${OUT}/pc_cpp_static)
run(${OUT}/pc_cpp_static ${MODEL})
