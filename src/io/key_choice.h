// Which keys one connection is made with, and when it is made anew with others: while the cluster's
// key or a process's own is changed there is more than one of them, and who connects does not know
// which of them the other side has by now.
//
// ZeroMQ connects again by itself, but with the keys of before. Only who is refused tries others;
// what is let in stays as it is until it is lost.
//
// Thread: one. No I/O.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "io/keyring.h"

namespace longtail {

/// What one connection is made with.
struct Credentials {
  std::string cluster_key;  ///< Whom it expects.
  KeyPair own;              ///< Whom it shows.

  bool operator==(const Credentials&) const = default;
};

/// All that there are, in the order in which they are tried.
std::vector<Credentials> AllCredentials(const Keys& keys);

class KeyChoice {
 public:
  /// Begins with the first.
  explicit KeyChoice(const Keys& keys);

  const Credentials& current() const { return current_; }

  /// When to connect anew, after Next; InfiniteFuture: not by itself.
  absl::Time due() const { return due_; }

  /// There is somebody, and a handshake has begun.
  void OnBegun(absl::Time now) { begun_at_ = now; }

  /// The other side took the keys.
  void OnLetIn(const Keys& keys, absl::Time now);

  /// The connection that was let in is gone; ZeroMQ makes it again.
  void OnLost();

  /// The other side hung up in the midst of the handshake: it shows another key. Or it was silent:
  /// it does not know ours. Others are tried at once, then again and again, at most once a second.
  void OnRefused(const Keys& keys, absl::Time now);

  /// Goes to those to connect with next: another key of the cluster if that hung up, its other own
  /// pair if there was silence, its newest own if it was let in with the one before.
  void Next(const Keys& keys);

  /// Other keys were read. True: it is to be connected anew, since its own pair or the one whom it
  /// expects is another; `current` is what to do that with.
  bool Follow(const Keys& keys);

 private:
  Credentials current_;
  bool is_let_in_ = false;
  bool was_silent_ = false;
  absl::Time begun_at_ = absl::InfiniteFuture();
  std::size_t refused_ = 0;  // Since it was let in.
  absl::Time due_ = absl::InfiniteFuture();
};

}  // namespace longtail
