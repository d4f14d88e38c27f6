# Proves that each house rule can fail: a small clean tree passes every check, and each violation,
# written into it alone, makes its check fail and be named.
#
#   cmake -DCHECKS=cmake/checks -DOUT=<folder> -DCC= -DCXX= -DAR= -DNM= -DOBJDUMP= -DPROCESSOR= -P lint_self_test.cmake
cmake_minimum_required(VERSION 3.21)
set(TREE ${OUT}/tree)
set(TOOLS -DCC=${CC} -DCXX=${CXX} -DOUT=${OUT}/headers -DARCHIVE=${OUT}/libtern.a -DNM=${NM}
    -DOBJDUMP=${OBJDUMP} -DPROCESSOR=${PROCESSOR})

# put(path line...): a file of the fake tree. @ stands for ; which CMake would split at.
function(put path)
  list(JOIN ARGN "\n" text)
  string(REPLACE "@" ";" text "${text}")
  file(WRITE "${TREE}/${path}" "${text}\n")
endfunction()

# run(check OUT status output): one check on the fake tree.
function(run check status output)
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${TREE} ${TOOLS} -P ${CHECKS}/${check}.cmake
    WORKING_DIRECTORY ${OUT} RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${status} ${result} PARENT_SCOPE)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

function(expect_clean check)
  run(${check} status output)
  if(NOT status EQUAL 0)
    message(SEND_ERROR "${check} fails on a clean tree:\n${output}")
  endif()
endfunction()

# expect_failure(check path message line...): the check fails while this file is there, naming it so.
# The clean tree's file of that path, if any, is put back.
function(expect_failure check path message)
  set(before)
  if(EXISTS "${TREE}/${path}")
    file(READ "${TREE}/${path}" before)
  endif()
  put(${path} ${ARGN})
  run(${check} status output)
  if(status EQUAL 0)
    message(SEND_ERROR "${check} does not see: ${ARGN}")
  elseif(NOT output MATCHES "${message}")
    message(SEND_ERROR "${check} fails on '${ARGN}', but not for '${message}':\n${output}")
  endif()
  file(REMOVE "${TREE}/${path}")
  if(before)
    file(WRITE "${TREE}/${path}" "${before}")
  endif()
endfunction()

file(REMOVE_RECURSE ${OUT})
put(include/tern/version.hpp "#pragma once" "#define TERN_X 1")
put(include/tern/tern.hpp "#pragma once" "#include \"tern/base/a.hpp\"")
put(include/tern/base/a.hpp
  "#pragma once" "#include <cstdint>" "#include \"tern/version.hpp\""
  "/* abort() in a comment" "   throw, cout, printf(  */ inline int a() { return 1@ }  // exit(1)"
  "inline const char* text() { return \"// throw /* [ \\\" \"@ }")
put(include/tern/text/b.hpp "#pragma once" "#include \"tern/base/a.hpp\"")
put(src/kernels/body.inl.hpp "static inline float twice(float x) { return x + x@ }")
put(src/kernels/kernels_one.cpp
  "#include \"kernels/body.inl.hpp\"" "extern float (*const one)(float)@"
  "float (*const one)(float) = twice@")
put(src/platform/os.cpp "#include <unistd.h>" "#include <thread>" "bool b(float x) { return x > 1@ }")
put(capi/tern.h "#ifndef TERN_H" "#define TERN_H" "#include <stdint.h>" "typedef int32_t tern_status@" "#endif")
put(capi/guard.hpp "#pragma once" "inline int guard() { try { return 0@ } catch (...) { return 1@ } }")
put(README.md "plain")
put(tests/README.md "plain")

set(SOURCE_CHECKS file_length forbidden_tokens plain_text public_headers room_order unique_names)
foreach(check IN LISTS SOURCE_CHECKS)
  expect_clean(${check})
endforeach()

# Rooms.
expect_failure(room_order include/tern/base/c.hpp "room base may not include room text" "#include \"tern/text/b.hpp\"")
expect_failure(room_order include/tern/text/c.hpp "not in the repository" "#include \"tern/base/gone.hpp\"")
expect_failure(room_order include/tern/text/c.hpp "room text includes .*tern.hpp" "#include \"tern/tern.hpp\"")
expect_failure(room_order include/tern/hall/c.hpp "no room is called hall" "")
expect_failure(room_order include/tern/kernels/c.hpp "users do not get" "#include \"kernels/body.inl.hpp\"")
expect_failure(room_order src/platform/c.cpp "may not include room kernels" "#include \"../kernels/body.inl.hpp\"")

# Length, names, text.
string(REPEAT "line\n" 401 long)
expect_failure(file_length src/platform/long.cpp "the cap is 400" "${long}")
expect_failure(unique_names tests/os.cpp "has the name of src/platform/os.cpp" "")
string(ASCII 195 169 accent)
expect_failure(plain_text docs/c.md "c.md:2: a character" "ok" "caf${accent}")
string(ASCII 13 return)
expect_failure(plain_text docs/c.md "carriage return" "ok${return}")
string(CONCAT word "/wo" "rk/x")
expect_failure(plain_text docs/c.md "a path of one machine" "see ${word}")
string(CONCAT word "TO" "DO")
expect_failure(plain_text docs/c.md "unfinished" "${word} later")
string(CONCAT word "https://regis" "try.example.org/x")
expect_failure(plain_text docs/c.json "package registry" "${word}")

# Tokens: a line, and why it is refused, in a header of room text.
set(TOKENS
  "void f() { std::abort()@ }" "ends the host"
  "#include <cassert>" "ends the host"
  "void f() { std::printf(\"x\")@ }" "prints"
  "#include <sstream>" "prints"
  "void f() { throw 1@ }" "throws"
  "int f(V v) { return v.at(0)@ }" "throws"
  "void f() try {} catch (...) {}" "catches"
  "auto f(B* b) { return dynamic_cast<D*>(b)@ }" "type information"
  "auto f() { return std::getenv(\"X\")@ }" "state of the process"
  "#include <cfenv>" "state of the process"
  "bool f(char c) { return isspace(c)@ }" "locale"
  "float f(float x) { return std::sqrt(x)@ }" "src/kernels"
  "float f(float x) { return sqrtf(x)@ }" "src/kernels"
  "#include <cmath>" "src/kernels"
  "#include <immintrin.h>" "intrinsics"
  "auto f(__m256i x) { return x@ }" "intrinsics"
  "auto f() { return vdupq_s32(0)@ }" "intrinsics"
  "auto f() { return wasm_i32x4_splat(0)@ }" "intrinsics"
  "void f() { asm(\"nop\")@ }" "assembly"
  "#include <sys/mman.h>" "system headers"
  "#include <windows.h>" "system headers"
  "#include <filesystem>" "system headers"
  "#include <mutex>" "threads"
  "#include <atomic>" "atomics"
  "#include <Eigen/Core>" "third-party"
  "#include <fmt/format.h>" "third-party"
  "#include <rapidjson/reader.h>" "JSON is parsed"
  "#ifdef __AVX2__" "target flags"
  "#if 0" "switched off"
  "#pragma STDC FP_CONTRACT ON" "fuses"
  "/* */ int x = a()@ /* */ void f() { exit(1)@ }" "ends the host")
while(TOKENS)
  list(POP_FRONT TOKENS line why)
  expect_failure(forbidden_tokens include/tern/text/c.hpp "c.hpp:2: [^\n]*${why}" "//" "${line}")
endwhile()
expect_failure(forbidden_tokens src/kernels/c.cpp "fuses" "float f(float a) { return std::fma(a, a, a)@ }")
expect_failure(forbidden_tokens src/kernels/c.cpp "fuses" "auto f(V a) { return _mm256_fmadd_ps(a, a, a)@ }")
expect_failure(forbidden_tokens capi/tern.h "stddef.h and stdint.h only" "#include <stdio.h>")

# Headers.
expect_failure(public_headers include/tern/text/c.hpp "does not compile alone" "#pragma once" "inline std::string f()@")
expect_failure(public_headers include/tern/text/c.hpp "does not compile alone" "inline int not_guarded() { return 1@ }")
expect_failure(public_headers include/tern/text/c.hpp "conversion" "#pragma once" "inline char f(int i) { return i@ }")
expect_failure(public_headers capi/tern.h "C99" "int f(bool b)@")

# Objects: an archive of small sources, made as CMake names its members.
# archive(name line... [NEXT name line...]): compiles each source and archives the objects.
function(archive name)
  put(../objects/${name} ${ARGN})
  set(objects)
  foreach(source IN ITEMS ${TREE}/src/kernels/kernels_one.cpp ${TREE}/src/platform/os.cpp ${OUT}/objects/${name})
    get_filename_component(member ${source} NAME)
    execute_process(COMMAND ${CXX} -std=c++20 -O1 ${FLAGS} -I${TREE}/src -c ${source} -o ${OUT}/${member}.o
      RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "the self test cannot compile ${source}")
    endif()
    list(APPEND objects ${OUT}/${member}.o)
  endforeach()
  list(REMOVE_DUPLICATES objects)
  file(REMOVE ${OUT}/libtern.a)
  execute_process(COMMAND ${AR} rcs ${OUT}/libtern.a ${objects} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# expect_objects_failure(check message name line...): the same for a source that is compiled and archived.
function(expect_objects_failure check message name)
  archive(${name} ${ARGN})
  run(${check} status output)
  if(status EQUAL 0)
    message(SEND_ERROR "${check} does not see: ${ARGN}")
  elseif(NOT output MATCHES "${message}")
    message(SEND_ERROR "${check} fails on '${ARGN}', but not for '${message}':\n${output}")
  endif()
endfunction()

if(PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  archive(clean.cpp
    "bool f(float a, double b) { return a < static_cast<float>(b)@ }"
    "long g(float a) { return static_cast<long>(a)@ }"
    "float larger(float a, float b) { return a < b ? b : a@ }"
    "int h(int a, int b) { return a * b / (a + b)@ }")
  expect_clean(float_arithmetic)
  expect_clean(kernel_objects)
  foreach(expression "a + b" "a - b" "a * b" "a / b" "__builtin_sqrtf(a)")
    foreach(type float double)
      expect_objects_failure(float_arithmetic "sum.cpp.o: [a-z]+ in _Z1f" sum.cpp
        "${type} f(${type} a, ${type} b) { return ${expression}@ }")
    endforeach()
  endforeach()
  expect_objects_failure(float_arithmetic "in _Z1f" sum.cpp "float f(unsigned long a) { return static_cast<float>(a)@ }")
  expect_objects_failure(float_arithmetic "in _Z1f" sum.cpp "long double f(long double a) { return a * a@ }")

  expect_objects_failure(kernel_objects "exports 2 symbols" kernels_two.cpp "int x = 1@" "int y = 2@")
  expect_objects_failure(kernel_objects "weak symbol" kernels_two.cpp
    "__attribute__((noinline)) inline int f(int a) { return a + 1@ }" "int (*table)(int) = f@")
  expect_objects_failure(kernel_objects "calls expf" kernels_two.cpp
    "static float f(float a) { return __builtin_expf(a)@ }" "float (*table)(float) = f@")
  expect_objects_failure(kernel_objects "approximate" kernels_two.cpp "#include <xmmintrin.h>"
    "static float f(float a) { return _mm_cvtss_f32(_mm_rsqrt_ss(_mm_set_ss(a)))@ }" "float (*table)(float) = f@")
  set(FLAGS -O2 -mfma -ffp-contract=fast)
  expect_objects_failure(kernel_objects "fused" kernels_two.cpp
    "static float f(float a, float b) { return a * b + a@ }" "float (*table)(float, float) = f@")
endif()
