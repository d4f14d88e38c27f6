// Fuzz target: any bytes as a safetensors file, parsed, and everything in it used. Beside what the
// sanitizers see, it traps when parsing allocates more than the file justifies, or when the bytes
// of tensors are not exactly those behind the header.
#include <cstddef>
#include <cstdint>

#include "support/counting_allocator.hpp"
#include "tern/format/safetensors.hpp"
#include "tern/model/hf_names.hpp"

namespace {

// A byte of JSON is at most a node, in an array that grows by doubling.
constexpr size_t kBytesPerByte = 128;
constexpr size_t kFixedBytes = 65536;

uint64_t use(const tern::SafetensorsFile& file, size_t file_bytes) {
  uint64_t sum = 0;
  uint64_t data_bytes = 0;
  uint64_t first = file_bytes;
  for (const tern::SafetensorsTensor& tensor : file.tensors()) {
    if (file.find(tensor.name) != &tensor) __builtin_trap();
    const tern::HfTensorName name = tern::parse_hf_tensor_name(tensor.name, sum % 2 != 0);
    sum += name.layer + name.gguf.size();
    for (size_t d = 0; d < tensor.n_dims; ++d) sum += tensor.dims[d];
    for (const uint8_t byte : tensor.data) sum += byte;
    data_bytes += tensor.data.size();
    first = tensor.offset < first ? tensor.offset : first;
  }
  if (data_bytes + first != file_bytes) __builtin_trap();
  return sum + (file.find("no such tensor") != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tern_test::CountingAllocator counter;
  counter.budget = kBytesPerByte * size + kFixedBytes;
  {
    const auto file = tern::SafetensorsFile::parse({data, size}, counter.hooks());
    volatile uint64_t sink = file.ok() ? use(*file, size) : file.error().where;
    static_cast<void>(sink);
  }
  if (counter.refused != 0 || counter.live != 0) __builtin_trap();
  return 0;
}
