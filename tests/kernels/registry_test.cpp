// The registry: which tables there are, which is chosen, and that a wrong one is passed over.
#include <cstdlib>
#include <iostream>
#include <set>
#include <sstream>

#include "kernels/kernel_cases.hpp"

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
  for (const char* known : {"scalar", "avx2", "avx512vnni"}) {
    const auto table = tern::select_kernels(known);
    INFO(known);
    CHECK((table.ok() || table.status() == Status::isa_unavailable));
  }
}

TEST_CASE("Every compiled table can be selected by its name where the CPU runs it") {
  std::set<std::string> names;
  for (const KernelTable* raw : tern::compiled_kernels()) {
    INFO(raw->isa);
    CHECK(names.insert(raw->isa).second);
    const auto table = tern::select_kernels(raw->isa);
    if (!is_runnable(*raw)) {
      CHECK(table.status() == Status::isa_unavailable);
      continue;
    }
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

TEST_CASE("The self-test passes every table of this CPU and refuses one with any slot wrong") {
  for (const KernelTable& table : runnable_kernels()) {
    INFO(table.isa);
    CHECK(tern::passes_self_test(table));
    KernelTable wrong = table;
    const auto check_refused = [&](std::string_view slot) {
      if (slot == "packed_tokens_bytes") return;                   // a size, not a result
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

TEST_CASE("The self-test refuses a table that asks for more memory than any needs") {
  KernelTable table = scalar_kernels();
  table.matrix_scratch_bytes = size_t{1} << 30;
  CHECK_FALSE(tern::passes_self_test(table));
}
