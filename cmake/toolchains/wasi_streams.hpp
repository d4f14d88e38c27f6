// Gives the tests std::ifstream and std::ofstream on WASI, where Debian's libc++ switches them off.
//
// Force-included by test targets only (-include). The streams are templates over C's FILE and work
// once they are instantiated (wasi_streams.cpp); std::filesystem does not, its functions are absent
// from the archive: a test opens a file to learn whether it is there.
#pragma once

#include <__config>
#undef _LIBCPP_HAS_NO_FILESYSTEM
#include <fstream>
