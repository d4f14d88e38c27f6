// The registry: which tables there are, which is chosen, and that a wrong one is passed over.
#include <cstdlib>
#include <iostream>
#include <set>
#include <sstream>

#include "kernels/kernel_cases.hpp"
#include "kernels/self_test.hpp"
#include "support/counting_allocator.hpp"
#include "tern/base/buffer.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::Status;

namespace {

using namespace tern;  // the parameters of the slots name its types

// A function of the signature of each slot that does nothing and answers zero.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
#define TERN_KERNEL_SLOT(name, result, parameters) \
  result lazy_##name parameters { return result(); }
TERN_KERNEL_SLOTS(TERN_KERNEL_SLOT)
#undef TERN_KERNEL_SLOT
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

// Scalar, but for one error each that only a large enough problem shows.
void spoil_last(float* y) { *y = *y + 1.0f; }

void wrong_beyond_a_block_of_columns(const TernaryView& w, const ActivationView& a,
                                     const int8_t* packed, size_t begin, size_t end, float* y,
                                     size_t y_stride, void* scratch) {
  scalar_kernels().multiply_matrix(w, a, packed, begin, end, y, y_stride, scratch);
  if (w.cols > 1024) spoil_last(y);
}
void wrong_thirteenth_token(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                            size_t begin, size_t end, float* y, size_t y_stride, void* scratch) {
  scalar_kernels().multiply_matrix(w, a, packed, begin, end, y, y_stride, scratch);
  if (a.n > 12) spoil_last(y + 12 * y_stride);
}
void wrong_eight_tokens(const TernaryView& w, const ActivationView& a, size_t begin, size_t end,
                        float* y, size_t y_stride) {
  scalar_kernels().multiply_vector(w, a, begin, end, y, y_stride);
  if (a.n == kVectorTokens) spoil_last(y);
}
void wrong_wide_groups(const TernaryView& w, const ActivationView& a, size_t begin, size_t end,
                       float* y, size_t y_stride) {
  scalar_kernels().multiply_vector(w, a, begin, end, y, y_stride);
  if (w.group_cols > 32) spoil_last(y);
}
void wrong_second_chunk(const float* weights, float sum, CacheView values, size_t n, size_t dim,
                        float* y) {
  scalar_kernels().pv_f16(weights, sum, values, n < 256 ? n : 256, dim, y);
}
void wrong_wide_head(const float* weights, float sum, CacheView values, size_t n, size_t dim,
                     float* y) {
  scalar_kernels().pv_f16(weights, sum, values, n, dim, y);
  if (dim > 48) spoil_last(y + 48);
}
template <TensorType type>
void wrong_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                float* logits, size_t logits_stride) {
  scalar_kernels().head_rows(head, input, begin, end, logits, logits_stride);
  if (head.type == type) spoil_last(logits);
}
float silent_softmax(float* s, size_t n) {
  const float sum = scalar_kernels().softmax_exp(s, n);
  return sum == sum ? sum : 1.0f;
}

}  // namespace

TEST_CASE("Tables are exercised here, among them all that TERN_EXPECT_ISAS names") {
  std::set<std::string> exercised;
  for (const KernelTable& table : runnable_kernels()) exercised.insert(table.isa);
  std::cout << "kernel tables exercised:";
  for (const std::string& isa : exercised) std::cout << ' ' << isa;
  std::cout << std::endl;
  CHECK(exercised.count("scalar") == 1);
  const char* expected = std::getenv("TERN_EXPECT_ISAS");
  std::istringstream names(expected != nullptr ? expected : "");
  for (std::string isa; names >> isa;) {
    INFO(isa);
    CHECK(exercised.count(isa) == 1);
  }
}

TEST_CASE("An unknown instruction set is told from one that is not available") {
  CHECK(tern::select_kernels("sse9").status() == Status::isa_unknown);
  CHECK(tern::select_kernels("Scalar").status() == Status::isa_unknown);
  CHECK(std::string(tern::select_kernels("sse9").error().subject) == "sse9");
  for (const char* known : {"scalar", "avx2", "avx512vnni", "neon", "wasm_relaxed"}) {
    const auto table = tern::select_kernels(known);
    INFO(known);
    CHECK((table.ok() || table.status() == Status::isa_unavailable));
  }
}

TEST_CASE("Every compiled table can be selected by its name where the CPU runs it") {
  std::set<std::string> names;  // of tables that run
  for (const KernelTable* raw : tern::compiled_kernels()) {
    INFO(raw->isa);
    const auto table = tern::select_kernels(raw->isa);
    if (names.count(raw->isa) == 1) {  // a table of the same name that needs more came before
      REQUIRE(table.ok());
      CHECK((table->features & raw->features) == raw->features);
      CHECK(table->features != raw->features);
      continue;
    }
    if (!is_runnable(*raw)) {
      CHECK((table.ok() || table.status() == Status::isa_unavailable));
      continue;
    }
    names.insert(raw->isa);
    REQUIRE(table.ok());
    CHECK(std::string(table->isa) == raw->isa);
    CHECK(table->features == raw->features);
    CHECK(tern::is_complete(*table));
  }
  CHECK(std::string(tern::compiled_kernels().back()->isa) == "scalar");
}

TEST_CASE("An empty name selects the first table that the CPU runs") {
  const auto best = tern::select_kernels("");
  REQUIRE(best.ok());
  CHECK(std::string(best->isa) == runnable_kernels().front().isa);
}

TEST_CASE("A resolved table takes what it lacks from scalar and keeps what it has") {
  KernelTable raw;
  raw.isa = "test";
  CHECK_FALSE(tern::is_complete(raw));
  raw.add = lazy_add;
  const KernelTable resolved = tern::resolve_kernels(raw);
  CHECK(tern::is_complete(resolved));
  CHECK(resolved.add == lazy_add);
  CHECK(resolved.rms_norm == scalar_kernels().rms_norm);
}

TEST_CASE("A resolved table takes what it lacks from its bases first") {
  KernelTable further;
  further.add = scalar_kernels().add;
  further.scale = lazy_scale;
  KernelTable base;
  base.base = &further;
  base.add = lazy_add;
  KernelTable raw;
  raw.base = &base;
  const KernelTable resolved = tern::resolve_kernels(raw);
  CHECK(tern::is_complete(resolved));
  CHECK(resolved.add == lazy_add);
  CHECK(resolved.scale == lazy_scale);
  CHECK(resolved.rms_norm == scalar_kernels().rms_norm);
}

TEST_CASE("A base needs no feature that its table does not ask for") {
  for (const KernelTable* raw : tern::compiled_kernels()) {
    INFO(raw->isa);
    for (const KernelTable* base = raw->base; base != nullptr; base = base->base) {
      CHECK((raw->features & base->features) == base->features);
    }
  }
}

TEST_CASE("The self-test passes every table of this CPU and refuses one with any slot wrong") {
  for (const KernelTable& table : runnable_kernels()) {
    INFO(table.isa);
    CHECK(tern::passes_self_test(table));
    KernelTable wrong = table;
    const auto check_refused = [&](std::string_view slot) {
      if (slot.ends_with("_bytes")) return;                        // a size, not a result
      if (slot.starts_with("probe_")) return;                      // a benchmark, not a result
      if (slot == "pack_tokens" && table.token_tile == 1) return;  // packs nothing
      INFO(slot);
      CHECK_FALSE(tern::passes_self_test(wrong));
    };
#define TERN_KERNEL_SLOT(name, result, parameters) \
  wrong.name = lazy_##name;                        \
  check_refused(#name);                            \
  wrong.name = table.name;
    TERN_KERNEL_SLOTS(TERN_KERNEL_SLOT)
#undef TERN_KERNEL_SLOT
    CHECK(tern::passes_self_test(wrong));
  }
}

TEST_CASE("The self-test sees errors of long rows, many tokens, far positions and every row type") {
  const KernelTable scalar = scalar_kernels();
  const auto refuses = [&scalar](auto slot, auto wrong) {
    KernelTable table = scalar;
    table.*slot = wrong;
    return !tern::passes_self_test(table);
  };
  CHECK(refuses(&KernelTable::multiply_matrix, wrong_beyond_a_block_of_columns));
  CHECK(refuses(&KernelTable::multiply_matrix, wrong_thirteenth_token));
  CHECK(refuses(&KernelTable::multiply_vector, wrong_eight_tokens));
  CHECK(refuses(&KernelTable::multiply_vector, wrong_wide_groups));
  CHECK(refuses(&KernelTable::pv_f16, wrong_second_chunk));
  CHECK(refuses(&KernelTable::pv_f16, wrong_wide_head));
  CHECK(refuses(&KernelTable::head_rows, wrong_rows<TensorType::f32>));
  CHECK(refuses(&KernelTable::head_rows, wrong_rows<TensorType::f16>));
  CHECK(refuses(&KernelTable::head_rows, wrong_rows<TensorType::bf16>));
  CHECK(refuses(&KernelTable::head_rows, wrong_rows<TensorType::q8_0>));
  CHECK(refuses(&KernelTable::head_rows, wrong_rows<TensorType::q4_0>));
  CHECK(refuses(&KernelTable::head_rows, wrong_rows<TensorType::q6_k>));
  CHECK(refuses(&KernelTable::softmax_exp, silent_softmax));
}

TEST_CASE("The checksum of the self-test is that of every table, scalar among them") {
  auto memory = tern::Buffer<tern::SelfTest>::create(1, tern::default_allocator());
  REQUIRE(memory.ok());
  tern::SelfTest& test = *memory->data();
  for (const KernelTable& table : runnable_kernels()) {
    INFO(table.isa);
    REQUIRE(test.run(table));
    INFO("computed 0x" << std::hex << std::uppercase << test.out.checksum());
    CHECK(test.out.checksum() == tern::kSelfTestChecksum);
  }
}

TEST_CASE("The self-test takes its memory from the caller's hooks and gives it back") {
  CountingAllocator counting;
  CHECK(tern::select_kernels("", counting.hooks()).ok());
  CHECK(tern::passes_self_test(scalar_kernels(), counting.hooks()));
  CHECK(counting.calls == 2);
  CHECK(counting.peak < 640 * 1024);
  CHECK(counting.live == 0);
  counting.budget = 1000;
  CHECK(tern::select_kernels("", counting.hooks()).status() == Status::out_of_memory);
  CHECK_FALSE(tern::passes_self_test(scalar_kernels(), counting.hooks()));
}

TEST_CASE("The self-test refuses a table that asks for more memory than any needs") {
  KernelTable table = scalar_kernels();
  table.matrix_scratch_bytes = size_t{1} << 30;
  CHECK_FALSE(tern::passes_self_test(table));
}
