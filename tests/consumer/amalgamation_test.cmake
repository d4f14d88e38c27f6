# The library as one file compiles with one command, tells the same story as the archive, and keeps each
# instruction in its region whatever the command says; -ffast-math is refused. The second compilation is
# of the file as another version, which then runs beside this one in one process.
#
#   cmake -DROOT=<checkout> -DOUT=<folder> -DSTORY=story.txt -DMODEL=<file>
#         -DCC=cc -DCXX=c++ -DOBJDUMP=objdump -DPROCESSOR=x86_64
#         [-DTWO_LIBRARIES=<program> -DLIBRARY=libtern.so] -P amalgamation_test.cmake
cmake_minimum_required(VERSION 3.21)

execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${ROOT} -DOUT=${OUT} -P ${ROOT}/cmake/amalgamate.cmake
  COMMAND_ERROR_IS_FATAL ANY)
set(COMPILE ${CXX} -std=c++20 -O2)
execute_process(COMMAND ${COMPILE} -ffast-math -E ${OUT}/tern.cpp -o ${OUT}/refused.txt
  RESULT_VARIABLE status ERROR_VARIABLE errors)
if(status EQUAL 0 OR NOT errors MATCHES "without -ffast-math")
  message(SEND_ERROR "-ffast-math is not refused")
endif()

# The next version: what version.hpp says, and the version of tern.h.
file(READ ${ROOT}/include/tern/version.hpp version)
if(NOT version MATCHES "TERN_VERSION_STRING \"([0-9.]+)\".*inline namespace (v[0-9_]+) ")
  message(FATAL_ERROR "version.hpp names no version")
endif()
set(string ${CMAKE_MATCH_1})
set(namespace ${CMAKE_MATCH_2})
foreach(name tern.h tern.cpp)
  file(READ ${OUT}/${name} text)
  string(REPLACE "inline namespace ${namespace} " "inline namespace v999_0 " text "${text}")
  string(REPLACE "TERN_VERSION_STRING \"${string}\"" "TERN_VERSION_STRING \"999.0\"" text "${text}")
  file(WRITE ${OUT}/next/${name} "${text}")
endforeach()

# The command of the manual, and one that lets the compiler have every instruction of this CPU and fuse
# what it likes; side by side.
execute_process(
  COMMAND ${COMPILE} -c ${OUT}/tern.cpp -o ${OUT}/plain.o
  COMMAND ${COMPILE} -march=native -ffp-contract=fast -fPIC -c ${OUT}/next/tern.cpp -o ${OUT}/native.o
  RESULTS_VARIABLE statuses ERROR_VARIABLE errors)
if(NOT statuses STREQUAL "0;0" OR errors MATCHES "warning:")
  message(FATAL_ERROR "tern.cpp does not compile in silence\n${errors}")
endif()

file(READ "${STORY}" story)
set(headers_plain ${OUT})
set(headers_native ${OUT}/next)
foreach(kind plain native)
  foreach(program ${ROOT}/examples/hello.c ${ROOT}/tests/consumer/c99_program.c)
    execute_process(COMMAND ${CC} -std=c99 -I${headers_${kind}} ${program} ${OUT}/${kind}.o -lstdc++ -lm -pthread
      -o ${OUT}/${kind} COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${OUT}/${kind} ${MODEL} OUTPUT_VARIABLE output RESULT_VARIABLE status)
    if(NOT status EQUAL 0 OR (program MATCHES "hello" AND NOT output STREQUAL story))
      message(SEND_ERROR "${kind}: ${program} gives ${status} and this:\n${output}\nnot this:\n${story}")
    endif()
  endforeach()
endforeach()

if(TWO_LIBRARIES)
  execute_process(COMMAND ${CXX} -shared -Wl,--version-script=${ROOT}/capi/tern.map ${OUT}/native.o
    -pthread -o ${OUT}/libtern_next.so COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${TWO_LIBRARIES} ${MODEL} ${LIBRARY} ${OUT}/libtern_next.so
    OUTPUT_VARIABLE output RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT output STREQUAL "${string} and 999.0: one answer\n")
    message(SEND_ERROR "two versions in one process: ${status}, ${output}")
  endif()
endif()

if(PROCESSOR MATCHES "^(x86_64|AMD64)$")
  # Symbols are mangled names, which hold the namespaces of the regions.
  set(REGION "[0-9](avx2|avxvnni|avx512vnni|avx512vbmi)E?[0-9N]")
  foreach(kind plain native)
    execute_process(COMMAND ${OBJDUMP} -d --no-show-raw-insn ${OUT}/${kind}.o OUTPUT_FILE ${OUT}/${kind}.txt)
    set(wanted "^[0-9a-f]+ <|\tvfn?m(add|sub)")
    if(kind STREQUAL "plain")
      string(APPEND wanted "|\tv[a-z0-9]+ +")
    endif()
    file(STRINGS ${OUT}/${kind}.txt lines REGEX "${wanted}")
    set(count 0)
    set(in_region FALSE)
    set(function)
    foreach(line IN LISTS lines)
      if(line MATCHES "^[0-9a-f]+ <(.*)>:$")
        set(function "${CMAKE_MATCH_1}")
        set(in_region FALSE)
        if(function MATCHES "${REGION}")
          set(in_region TRUE)
          math(EXPR count "${count} + 1")
        endif()
      elseif(line MATCHES "\tvfn?m(add|sub)")
        message(SEND_ERROR "${kind}: ${function} fuses: ${line}")
      elseif(NOT in_region)
        message(SEND_ERROR "${kind}: ${function} is baseline code: ${line}")
      endif()
    endforeach()
    if(count LESS 100)
      message(SEND_ERROR "${kind}: ${count} functions of regions cannot be all")
    endif()
  endforeach()
endif()
