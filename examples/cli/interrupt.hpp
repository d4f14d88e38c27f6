// Ctrl-C: ends the running evaluation, not the process, so that commands can finish their line.
//
// Program tern.
#pragma once

#include "tern/engine/session.hpp"

namespace cli {

/// While one lives, SIGINT sets a flag and cancels its session.
class InterruptGuard {
 public:
  explicit InterruptGuard(tern::Session* session = nullptr);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

/// Whether SIGINT has come.
bool is_interrupted();

}  // namespace cli
