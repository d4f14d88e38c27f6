# What every check shares: which files there are, what their code says, how a violation is reported.
#
# A check is one file beside this one, run by `cmake -DROOT=<checkout> -P <check>.cmake` (ctest label
# `lint`). It names each violation on a line of its own and fails when there was one.
cmake_minimum_required(VERSION 3.21)

if(NOT DEFINED ROOT)
  message(FATAL_ERROR "usage: cmake -DROOT=<checkout> -P <check>.cmake")
endif()
get_filename_component(ROOT "${ROOT}" ABSOLUTE)

# The folders of the repository that hold files of ours; build folders are not among them.
set(LINT_FOLDERS include src capi examples tests bench cmake docs .ci)

# lint_files(OUT folder...): files below these folders of ROOT, relative to it, sorted. "." stands for
# our files at the top itself, where logs and the like may lie about.
function(lint_files out)
  set(found)
  foreach(folder IN LISTS ARGN)
    if(folder STREQUAL ".")
      file(GLOB here LIST_DIRECTORIES false RELATIVE "${ROOT}"
        "${ROOT}/*.md" "${ROOT}/CMake*" "${ROOT}/LICENSE" "${ROOT}/.clang-*" "${ROOT}/.git?*")
    else()
      file(GLOB_RECURSE here LIST_DIRECTORIES false RELATIVE "${ROOT}" "${ROOT}/${folder}/*")
    endif()
    list(APPEND found ${here})
  endforeach()
  list(FILTER found EXCLUDE REGEX "(^|/)(node_modules|__pycache__|\\.cache)/|^\\.git$")
  list(SORT found)
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# lint_read(OUT file): the text of a file as a list of its lines. Characters that mean something to
# CMake's lists are replaced: ; by \x01, [ by \x02, ] by \x03, \ by \x04.
string(ASCII 1 LINT_SEMICOLON)
string(ASCII 2 LINT_OPEN)
string(ASCII 3 LINT_CLOSE)
string(ASCII 4 LINT_BACKSLASH)
function(lint_read out file)
  file(READ "${ROOT}/${file}" text)
  string(REPLACE ";" "${LINT_SEMICOLON}" text "${text}")
  string(REPLACE "[" "${LINT_OPEN}" text "${text}")
  string(REPLACE "]" "${LINT_CLOSE}" text "${text}")
  string(REPLACE "\\" "${LINT_BACKSLASH}" text "${text}")
  string(REPLACE "\n" ";" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# lint_read_code(OUT file): as lint_read, without what the compiler ignores: comments are gone and
# strings are empty, but the names that #include quotes stay.
function(lint_read_code out file)
  lint_read(lines "${file}")
  set(code)
  set(in_comment FALSE)
  set(b "${LINT_BACKSLASH}")
  foreach(line IN LISTS lines)
    if(in_comment)
      if(line MATCHES "\\*/(.*)$")
        set(line "${CMAKE_MATCH_1}")
        set(in_comment FALSE)
      else()
        set(line "")
      endif()
    endif()
    if(line MATCHES "[\"'/]")
      if(NOT line MATCHES "^[ \t]*#[ \t]*include")
        string(REGEX REPLACE "'(${b}.|[^'${b}])'" "' '" line "${line}")
        string(REGEX REPLACE "\"(${b}.|[^\"${b}])*\"" "\"\"" line "${line}")
      endif()
      string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" " " line "${line}")
      string(REGEX REPLACE "//.*$" "" line "${line}")
      if(line MATCHES "^(.*)/\\*")
        set(line "${CMAKE_MATCH_1}")
        set(in_comment TRUE)
      endif()
    endif()
    list(APPEND code "${line} ")  # an empty list would swallow empty lines
  endforeach()
  set(${out} "${code}" PARENT_SCOPE)
endfunction()

# lint_report(where what): counts and names one violation.
function(lint_report where what)
  get_property(count GLOBAL PROPERTY LINT_VIOLATIONS)
  math(EXPR count "0${count} + 1")
  set_property(GLOBAL PROPERTY LINT_VIOLATIONS ${count})
  string(REPLACE "${LINT_SEMICOLON}" ";" what "${what}")
  string(REPLACE "${LINT_OPEN}" "[" what "${what}")
  string(REPLACE "${LINT_CLOSE}" "]" what "${what}")
  string(REPLACE "${LINT_BACKSLASH}" "\\" what "${what}")
  message("${where}: ${what}")
endfunction()

# lint_finish(what): the end of a check; fails if it reported anything.
function(lint_finish what)
  get_property(count GLOBAL PROPERTY LINT_VIOLATIONS)
  if(count)
    message(FATAL_ERROR "${what}: ${count} violations")
  endif()
  message("${what}: clean")
endfunction()
