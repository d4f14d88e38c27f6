# A host is no larger than promised: the stripped program in bytes.
#
#   cmake -DPROGRAM=build/release/examples/hello -DMOST_BYTES=1500000 [-DSTRIP=strip] -P size_test.cmake
cmake_minimum_required(VERSION 3.21)
if(NOT STRIP)
  set(STRIP strip)
endif()
execute_process(COMMAND ${STRIP} -o "${PROGRAM}.stripped" "${PROGRAM}" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${STRIP} does not read ${PROGRAM}")
endif()
file(SIZE "${PROGRAM}.stripped" bytes)
file(REMOVE "${PROGRAM}.stripped")
message(STATUS "${PROGRAM}, stripped: ${bytes} bytes")
if(bytes GREATER MOST_BYTES)
  message(FATAL_ERROR "more than ${MOST_BYTES}")
endif()
