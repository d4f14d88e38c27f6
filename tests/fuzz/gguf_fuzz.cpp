// Fuzz target: any bytes as a GGUF file, parsed, and everything in it used. Beside what the
// sanitizers see, it traps when parsing allocates more than the file justifies.
#include <cstddef>
#include <cstdint>

#include "support/counting_allocator.hpp"
#include "support/gguf_exercise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tern_test::CountingAllocator counter;
  counter.budget = 5 * size + 64;  // the promise of GgufFile::parse, and its smallest allocation
  tern_test::GgufExercise exercise;
  static_cast<void>(exercise.run({data, size}, counter.hooks()));
  if (counter.refused != 0 || counter.live != 0) __builtin_trap();
  volatile uint64_t sink = exercise.sum();
  static_cast<void>(sink);
  return 0;
}
