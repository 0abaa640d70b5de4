#include "io/key_choice.h"

#include <algorithm>

namespace longtail {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(50);
constexpr absl::Duration kWaitMax = absl::Seconds(1);
constexpr std::size_t kDoublingsMax = 5;
// Who is let in with the pair of before is refused once that is on no list: the new one is tried
// in time. It costs the time of a handshake that fails, so not all the while.
constexpr absl::Duration kNewestAgain = absl::Seconds(30);

// Who shows another key hangs up at once; a handshake that ends so late was given up.
constexpr absl::Duration kSilence = absl::Milliseconds(800);

}  // namespace

std::vector<Credentials> AllCredentials(const Keys& keys) {
  std::vector<Credentials> all;
  for (const std::string& key : keys.cluster) all.push_back({key, keys.own});
  if (!keys.before) return all;
  for (const std::string& key : keys.cluster) all.push_back({key, *keys.before});
  return all;
}

KeyChoice::KeyChoice(const Keys& keys) : current_(AllCredentials(keys).front()) {}

void KeyChoice::OnLetIn(const Keys& keys, absl::Time now) {
  is_let_in_ = true;
  refused_ = 0;
  due_ = current_.own == keys.own ? absl::InfiniteFuture() : now + kNewestAgain;
}

void KeyChoice::OnLost() {
  if (!is_let_in_) return;  // The end of a handshake that failed, which was told.
  is_let_in_ = false;
  due_ = absl::InfiniteFuture();
}

void KeyChoice::OnRefused(const Keys& keys, absl::Time now) {
  const std::size_t count = AllCredentials(keys).size();
  if (is_let_in_ || due_ != absl::InfiniteFuture() || count < 2) return;
  was_silent_ = now - begun_at_ >= kSilence;
  ++refused_;
  if (refused_ < count) {
    due_ = now;
    return;
  }
  const std::size_t doublings = std::min(refused_ - count, kDoublingsMax);
  due_ = now + std::min(kFirstWait * (1 << doublings), kWaitMax);
}

void KeyChoice::Next(const Keys& keys) {
  if (!is_let_in_ && was_silent_ && keys.before && current_.own == keys.own) {
    current_.own = *keys.before;
  } else {
    // The newest again: who is let in with the one before is refused soon.
    current_.own = keys.own;
    const auto at = std::ranges::find(keys.cluster, current_.cluster_key);
    if (at == keys.cluster.end()) {
      current_.cluster_key = keys.cluster.front();
    } else if (!is_let_in_) {
      current_.cluster_key = at + 1 == keys.cluster.end() ? keys.cluster.front() : *(at + 1);
    }
  }
  is_let_in_ = false;
  begun_at_ = absl::InfiniteFuture();
  due_ = absl::InfiniteFuture();
}

bool KeyChoice::Follow(const Keys& keys) {
  const bool is_trusted =
      std::ranges::find(keys.cluster, current_.cluster_key) != keys.cluster.end();
  if (is_trusted && current_.own == keys.own) return false;
  if (!is_trusted) current_.cluster_key = keys.cluster.front();
  current_.own = keys.own;
  refused_ = 0;
  is_let_in_ = false;
  due_ = absl::InfiniteFuture();
  return true;
}

}  // namespace longtail
