// Transparent huge pages on Linux; elsewhere the advice has no taker.
#include "tern/platform/large_pages.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

TERN_NAMESPACE_BEGIN

void advise_large_pages(void* memory, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Whole large pages only: what follows may belong to another allocation.
  ::madvise(memory, bytes / kLargePageBytes * kLargePageBytes, MADV_HUGEPAGE);
#else
  static_cast<void>(memory);
  static_cast<void>(bytes);
#endif
}

TERN_NAMESPACE_END
