// The file streams that Debian's libc++ for WASI declares but does not hold: see wasi_streams.hpp.
#include "wasi_streams.hpp"

template class std::basic_filebuf<char>;
template class std::basic_ifstream<char>;
template class std::basic_ofstream<char>;
