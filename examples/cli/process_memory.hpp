// The memory of this process as the system counts it.
//
// Program tern.
#pragma once

#include <cstdint>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>

#include <cstdio>
#endif

namespace cli {

/// Begins a new peak where the system can (Linux); elsewhere the peak is that of the whole run.
inline void reset_peak_memory() {
#if defined(__linux__)
  if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", file);
    std::fclose(file);
  }
#endif
}

/// The most bytes of memory that this process had resident at once; 0 where that is not known.
inline uint64_t peak_memory_bytes() {
#if defined(__linux__)
  // getrusage knows nothing of a peak that was begun anew.
  unsigned long long kib = 0;
  if (std::FILE* file = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof(line), file) != nullptr) {
      if (std::sscanf(line, "VmHWM: %llu kB", &kib) == 1) break;
    }
    std::fclose(file);
  }
  return uint64_t{kib} * 1024;
#elif defined(__APPLE__)
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<uint64_t>(usage.ru_maxrss) : 0;
#elif defined(__unix__)
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<uint64_t>(usage.ru_maxrss) * 1024 : 0;
#else
  return 0;
#endif
}

}  // namespace cli
