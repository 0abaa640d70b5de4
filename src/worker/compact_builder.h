// Makes the compact form of a worker's requests, and remembers what that takes: which lists of keys
// it has sent to which lane, and what rounding took from gradients.
//
// A lane may have let a list go, or never have got it. It then says KeysWanted, and the request is
// sent again with all of its keys. Whoever lost one list has probably lost others, so all that the
// lane was sent is forgotten: a lane that holds less than its workers remember costs them one more
// round trip now and then, and not one a request.
//
// Threads: not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "protocol/digest_cache.h"
#include "protocol/messages.h"
#include "worker/error_feedback.h"

namespace longtail {

class CompactBuilder {
 public:
  struct Options {
    bool names_key_lists = false;  ///< A list that the lane was sent before is sent as its digest.
    std::size_t named_keys_min = 4;  ///< Of a list: a shorter one is as short as its name, about.
    std::size_t sent_bytes_max = kKeyListBytesMax;  ///< Of those that a lane is believed to hold.
    std::size_t feedback_bytes_max = std::size_t{256} << 20;  ///< See ErrorFeedback.
  };

  explicit CompactBuilder(const Options& options)
      : options_(options), feedback_(options.feedback_bytes_max) {}

  /// Needs `compact` of the request to be set. The result keeps what keeps the request's keys.
  ///
  /// Cost: a copy of the keys that are sent.
  std::shared_ptr<const CompactPull> Build(NodeId lane, const PullRequest& pull);

  /// As above. Call it once a push: it uses up what is kept of rounding.
  ///
  /// Cost: a look-up a key, and a copy of the gradients.
  std::shared_ptr<const CompactPush> Build(NodeId lane, const PushRequest& push);

  /// The same request with all of its keys, after the lane said KeysWanted; null if it had them
  /// all. Needs a request that this builder made.
  std::shared_ptr<const CompactPull> WithAllKeys(NodeId lane, const CompactPull& pull);
  std::shared_ptr<const CompactPush> WithAllKeys(NodeId lane,
                                                 const std::shared_ptr<const CompactPush>& push);

  /// Lists of keys sent as their digests.
  std::uint64_t lists_named() const { return lists_named_; }
  const ErrorFeedback& feedback() const { return feedback_; }

 private:
  // What the spans of a message that was built point at, and each section's keys, whatever their
  // form is.
  struct Store {
    std::vector<std::span<const Key>> lists;
    std::vector<std::shared_ptr<const void>> owners;  // Of the lists.
    std::vector<Key> plain;
    std::vector<KeyDigest> digests;
    std::string deltas;
    std::string counts;
    std::vector<std::byte> gradients;
  };
  struct BuiltPull final : CompactPull {
    Store store;
  };
  struct BuiltPush final : CompactPush {
    Store store;
  };
  using SentLists = DigestCache<std::monostate>;

  enum class Naming : std::uint8_t { kAllowed, kNone };
  void PutKeys(NodeId lane, Naming naming, Store& store, std::vector<CompactSection>& sections,
               CompactKeys& keys);
  SentLists& SentTo(NodeId lane);

  const Options options_;
  std::map<NodeId, SentLists> sent_;
  ErrorFeedback feedback_;
  std::uint64_t lists_named_ = 0;
};

}  // namespace longtail
