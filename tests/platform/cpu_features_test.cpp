// CPU features: stable answers, and none without what it builds on.
#include "tern/platform/cpu_features.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

TEST_CASE("Detection gives the same answer every time, and only named features") {
  const tern::CpuFeatureMask mask = tern::detect_cpu_features();
  CHECK(tern::detect_cpu_features() == mask);
  tern::CpuFeatureMask named = 0;
  std::set<std::string> names;
  for (const auto& row : tern::kCpuFeatureNames) {
    CHECK((named & row.feature) == 0);
    named |= row.feature;
    CHECK(names.insert(row.name).second);
  }
  CHECK((mask & ~named) == 0);
}

TEST_CASE("Detection agrees with the compiler's view of this CPU") {
  const tern::CpuFeatureMask mask = tern::detect_cpu_features();
#if defined(__x86_64__)
  __builtin_cpu_init();
  CHECK(((mask & tern::kCpuAvx2) != 0) == (__builtin_cpu_supports("avx2") != 0));
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  CHECK(((mask & tern::kCpuAvx512) != 0) == avx512);
  CHECK(((mask & tern::kCpuAvx512Vnni) != 0) == (__builtin_cpu_supports("avx512vnni") != 0));
  CHECK(((mask & tern::kCpuAvx512Vbmi) != 0) == (__builtin_cpu_supports("avx512vbmi") != 0));
#elif defined(__aarch64__)
  CHECK((mask & tern::kCpuNeon) != 0);
#else
  static_cast<void>(mask);
#endif
}

TEST_CASE("A process may run somewhere") { CHECK(tern::available_processors() >= 1); }
