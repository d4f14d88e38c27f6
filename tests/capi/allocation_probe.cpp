// Replaces operator new for the tests of the C ABI, in a file of its own: where the compiler sees
// the replacement inlined next to an allocation it takes the pair for a mismatch.
#include "capi_fixture.hpp"
#include "support/allocation_counter.hpp"

long capi_test::n_new_calls() { return tern_test::n_allocations; }
