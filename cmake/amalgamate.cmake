# Writes the library as two files, tern.h and tern.cpp: the C interface for hosts that would rather
# compile one more source than link an archive.
#
#   cmake -DROOT=<checkout> -DOUT=<folder> -P amalgamate.cmake
#
# Each of our headers goes in once, where it is first included, and the bodies of kernels (*.inl.hpp
# without #pragma once) each time. Baseline code comes before the kernels, so that what is compiled for a
# region's instructions is in that region alone; what includes a system's headers comes last before them,
# since their macros reach further here. JSON needs RapidJSON and is left out: Hugging Face folders are
# refused by name.
cmake_minimum_required(VERSION 3.21)

set(TARGET "${OUT}/tern.cpp")
set(FOLDERS include src capi)

# emit(text): appends to the result.
function(emit text)
  file(APPEND "${TARGET}" "${text}")
endfunction()

# find_ours(OUT from name): the file that #include "name" means.
function(find_ours out from name)
  foreach(folder IN LISTS FOLDERS)
    if(EXISTS "${ROOT}/${folder}/${name}")
      set(${out} "${folder}/${name}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "${from} includes ${name}, which is not there")
endfunction()

# emit_file(path): a file of ours with the files of ours that it includes.
function(emit_file path)
  file(READ "${ROOT}/${path}" text)
  if(text MATCHES "(^|\n)#pragma once\n")
    get_property(seen GLOBAL PROPERTY TERN_SEEN)
    if(path IN_LIST seen)
      return()
    endif()
    set_property(GLOBAL APPEND PROPERTY TERN_SEEN "${path}")
    string(REPLACE "#pragma once\n" "" text "${text}")
  endif()
  emit("// ---- ${path}\n")
  while(text MATCHES "(^|\n)(#include \"([^\"]+)\"[^\n]*\n)")
    set(line "${CMAKE_MATCH_2}")
    set(name "${CMAKE_MATCH_3}")
    string(FIND "${text}" "${line}" place)
    string(LENGTH "${line}" length)
    string(SUBSTRING "${text}" 0 ${place} before)
    math(EXPR place "${place} + ${length}")
    string(SUBSTRING "${text}" ${place} -1 text)
    emit("${before}")
    if(name STREQUAL "tern.h")
      emit("${line}")
      continue()
    endif()
    find_ours(found "${path}" "${name}")
    emit_file("${found}")
    emit("// ---- ${path}\n")
  endwhile()
  emit("${text}")
endfunction()

# emit_headers_of(path): the headers that a source includes, since it may do so for one CPU only.
function(emit_headers_of path)
  file(STRINGS "${ROOT}/${path}" lines REGEX "^#include \"")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^#include \"([^\"]+)\".*$" "\\1" name "${line}")
    if(NOT name MATCHES "\\.inl\\.hpp$")
      find_ours(found "${path}" "${name}")
      emit_file("${found}")
    endif()
  endforeach()
endfunction()

# The order of sources: rooms, then the platform, then kernels, the baseline's first.
file(GLOB_RECURSE sources RELATIVE "${ROOT}" "${ROOT}/src/*.cpp" "${ROOT}/capi/*.cpp")
list(SORT sources)
set(platform ${sources})
list(FILTER platform INCLUDE REGEX "^src/platform/")
set(kernels ${sources})
list(FILTER kernels INCLUDE REGEX "/kernels_[a-z0-9_]+\\.cpp$")
list(REMOVE_ITEM kernels src/kernels/kernels_scalar.cpp)
list(FILTER sources EXCLUDE REGEX "^src/platform/|/kernels_[a-z0-9_]+\\.cpp$|^src/train/")

file(READ "${ROOT}/LICENSE" licence)
string(REPLACE "\n" "\n// " licence "// ${licence}")
string(REGEX REPLACE "// (\n|$)" "//\\1" licence "${licence}")
file(READ "${ROOT}/capi/tern.h" header)
string(REGEX MATCH "TERN_VERSION_STRING \"([0-9.]+)\"" version "${header}")
file(MAKE_DIRECTORY "${OUT}")
configure_file("${ROOT}/capi/tern.h" "${OUT}/tern.h" COPYONLY)
file(WRITE "${TARGET}" "// tern ${CMAKE_MATCH_1}, all of it in one file. Made by cmake/amalgamate.cmake; tern.h is its manual.
//
//     g++ -std=c++20 -O2 -c tern.cpp
//
// The C interface without Hugging Face folders. Not to be compiled with -ffast-math.
//
${licence}
")
foreach(path IN LISTS sources platform)
  emit_file("${path}")
endforeach()
emit("#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 warns of the deliberately undefined registers in its own intrinsics.
#pragma GCC diagnostic ignored \"-Wuninitialized\"
#pragma GCC diagnostic ignored \"-Wmaybe-uninitialized\"
#endif
")
emit_file(src/kernels/kernels_scalar.cpp)
foreach(path IN LISTS kernels)
  emit_headers_of("${path}")
  emit_file("${path}")
endforeach()
