# Text files are ASCII with Unix line ends, end in a newline, and name neither a machine nor unfinished
# work. Text that must hold other characters escapes them.
include(${CMAKE_CURRENT_LIST_DIR}/lint.cmake)

# Regex and reason; one character of each is a class, so that this file does not match itself.
set(WORDS
  "/wor[k]/|/hom[e]/|/roo[t]/|/tm[p]/" "a path of one machine"
  "TO[D]O|FIX[M]E|XX[X]|HAC[K]:" "unfinished work: finish it, or open an issue"
  "https?://[^ /]*(registr[y]|mirro[r]|artifactor[y]|nexu[s]|npmj[s]|pyp[i])" "the host of a package registry"
  "https?://([a-z]+\\.)?(debia[n]\\.org|ubunt[u]\\.com)" "the host of a package registry")

lint_files(files . ${LINT_FOLDERS})
list(FILTER files EXCLUDE REGEX "/corpus/|/golden/errors/hf_|\\.(gguf|tern|bin|png|f32|wasm)$")
foreach(file IN LISTS files)
  file(READ "${ROOT}/${file}" text)
  if(text MATCHES "[^\t\n -~]")
    lint_read(lines "${file}")
    set(number 0)
    foreach(line IN LISTS lines)
      math(EXPR number "${number} + 1")
      string(REGEX REPLACE "[${LINT_SEMICOLON}${LINT_OPEN}${LINT_CLOSE}${LINT_BACKSLASH}]" "" line "${line}")
      if(line MATCHES "[^\t -~]")
        lint_report("${file}:${number}" "a character that is not printable ASCII")
      endif()
    endforeach()
  endif()
  file(READ "${ROOT}/${file}" bytes HEX)  # reading as text drops the character
  if(bytes MATCHES "0d0a")
    lint_report("${file}" "a carriage return at a line's end")
  endif()
  if(NOT text STREQUAL "" AND NOT text MATCHES "\n$")
    lint_report("${file}" "does not end in a newline")
  endif()
  set(words ${WORDS})
  while(words)
    list(POP_FRONT words pattern reason)
    if(text MATCHES "${pattern}")
      lint_report("${file}" "'${CMAKE_MATCH_0}': ${reason}")
    endif()
  endwhile()
endforeach()
lint_finish("plain text")
