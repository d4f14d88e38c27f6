// The registry of kernel tables: which exist in this build, which this CPU runs, which is best.
//
// Room: kernels.
#pragma once

#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The raw tables of this build, best first, `scalar` last.
std::span<const KernelTable* const> compiled_kernels();

/// The table with every slot that it does not override taken from its bases, then from `scalar`.
KernelTable resolve_kernels(const KernelTable& raw);

/// A complete table for this CPU: the one named, or with an empty name the best that passes the
/// self-test. Errors: isa_unknown, isa_unavailable (this CPU or this build lacks it, or it fails
/// the self-test), out_of_memory. Cost: CPU detection and a self-test: under a millisecond, and
/// about 250 KB of `hooks` while it runs. Threads: any.
Result<KernelTable> select_kernels(std::string_view isa,
                                   const AllocatorHooks& hooks = default_allocator());

/// Whether a table that this CPU can run gives the bits that docs/numerics.md asks for on a fixed
/// problem. False too when `hooks` has no memory for it. Requires: is_complete(table).
bool passes_self_test(const KernelTable& table, const AllocatorHooks& hooks = default_allocator());

TERN_NAMESPACE_END
