#include "protocol/expand.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/varint.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

// The keys of a request's sections, one list each, in order.
class KeyReader {
 public:
  KeyReader(const char* what, const CompactKeys& keys, KeyLists& lists)
      : what_(what), keys_(keys), lists_(lists) {}

  /// The next section's keys, which `owners` keep, or the message; none if their list is missing.
  absl::StatusOr<std::span<const Key>> Take(const CompactSection& section,
                                            std::vector<std::shared_ptr<const void>>& owners) {
    ++section_;
    switch (section.form) {
      case KeyForm::kPlain:
      case KeyForm::kKeptPlain:
        return TakePlain(section);
      case KeyForm::kDeltas:
      case KeyForm::kKeptDeltas:
        return TakeDeltas(section, owners);
      case KeyForm::kDigest:
        return Named(section.key_count, owners);
    }
    return Wrong("no form of keys");
  }

  absl::Status Finish() const {
    if (!keys_.plain.empty() || !keys_.digests.empty() || !keys_.deltas.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          what_, ": ", keys_.plain.size(), " keys, ", keys_.digests.size(), " digests and ",
          keys_.deltas.size(), " bytes of deltas are left over: no section has them"));
    }
    if (!is_missing_) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat(what_, ": a list of keys is not held"));
  }

 private:
  absl::Status Wrong(const std::string& problem) const {
    return absl::InvalidArgumentError(
        absl::StrCat(what_, ": keys of section ", section_ - 1, ": ", problem));
  }

  absl::StatusOr<std::span<const Key>> TakePlain(const CompactSection& section) {
    const std::size_t n = section.key_count;
    if (n > keys_.plain.size()) {
      return Wrong(absl::StrCat(n, " of them, but ", keys_.plain.size(), " are left"));
    }
    const std::span<const Key> taken = keys_.plain.first(n);
    keys_.plain = keys_.plain.subspan(n);
    if (IsKept(section.form)) Keep(taken, nullptr);
    return taken;
  }

  absl::StatusOr<std::span<const Key>> TakeDeltas(
      const CompactSection& section, std::vector<std::shared_ptr<const void>>& owners) {
    const std::size_t n = section.key_count;
    if (n > keys_.deltas.size()) {  // A byte each at least: safe to allocate by.
      return Wrong(absl::StrCat(n, " deltas in ", keys_.deltas.size(), " bytes"));
    }
    const auto list = std::make_shared<std::vector<Key>>(n);
    Key key = 0;
    for (Key& next : *list) {
      std::uint64_t delta = 0;
      if (!TakeVarint(keys_.deltas, std::numeric_limits<std::uint64_t>::max(), delta)) {
        return Wrong(absl::StrCat("delta ", &next - list->data(),
                                  " is cut short or longer than it needs to be"));
      }
      next = key += UnZigZag(delta);
    }
    owners.push_back(list);
    if (IsKept(section.form)) Keep(*list, list);
    return std::span<const Key>(*list);
  }

  absl::StatusOr<std::span<const Key>> Named(std::size_t n,
                                             std::vector<std::shared_ptr<const void>>& owners) {
    if (keys_.digests.empty()) return Wrong("a digest, but none is left");
    const KeyDigest digest = keys_.digests.front();
    keys_.digests = keys_.digests.subspan(1);
    const auto* const found = lists_.Find(digest);
    if (found == nullptr) {
      is_missing_ = true;
      return std::span<const Key>();
    }
    if ((*found)->size() != n) {
      return Wrong(absl::StrCat("the digest is of ", (*found)->size(), " keys: want ", n));
    }
    owners.push_back(*found);
    return std::span<const Key>(**found);
  }

  void Keep(std::span<const Key> keys, std::shared_ptr<const std::vector<Key>> list) {
    const KeyDigest digest = DigestOf(keys);
    if (lists_.Find(digest) != nullptr) return;
    if (list == nullptr) list = std::make_shared<const std::vector<Key>>(keys.begin(), keys.end());
    lists_.Add(digest, keys.size(), std::move(list));
  }

  const char* const what_;
  CompactKeys keys_;  // What is left of them.
  KeyLists& lists_;
  std::size_t section_ = 0;
  bool is_missing_ = false;
};

struct ExpandedPush : PushRequest {
  std::vector<std::uint32_t> counts;
  std::unique_ptr<float[]> floats;
};

absl::Status ExpandCounts(std::span<const std::byte> packed, std::vector<std::uint32_t>& counts) {
  if (packed.empty()) return absl::OkStatus();  // Zeros, as they are.
  if (!TakeCounts(packed, counts) || !packed.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("CompactPush: counts are not as many as the keys, ", counts.size(),
                     ", or one of them is no number of 32 bits"));
  }
  return absl::OkStatus();
}

absl::Status ExpandGradients(const CompactPush& push, ExpandedPush& out) {
  std::size_t floats = 0;
  std::size_t bytes = 0;
  for (const CompactSection& section : push.sections) {
    floats += section.key_count * std::size_t{section.dim};
    bytes += section.key_count * PackedRowBytes(push.values, section.dim);
  }
  if (bytes != push.gradients.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("CompactPush: ", push.gradients.size(), " bytes of gradients: want ", bytes));
  }
  out.floats.reset(new float[floats]);
  float* to = out.floats.get();
  const std::byte* from = push.gradients.data();
  for (std::size_t i = 0; i < push.sections.size(); ++i) {
    const CompactSection& section = push.sections[i];
    const std::size_t n = section.key_count * std::size_t{section.dim};
    const std::size_t size = section.key_count * PackedRowBytes(push.values, section.dim);
    if (!UnpackRows(push.values, section.dim, {from, size}, to)) {
      return absl::InvalidArgumentError(
          absl::StrCat("CompactPush: gradients of section ", i, ": a row's scale is not in ", -120,
                       "..", kWireExponentMax, " or ", static_cast<int>(kNotFinite)));
    }
    out.sections[i].gradients = {to, n};
    to += n;
    from += size;
  }
  return absl::OkStatus();
}

}  // namespace

bool TakeCounts(std::span<const std::byte>& packed, std::span<std::uint32_t> counts) {
  for (std::uint32_t& count : counts) {
    std::uint64_t value = 0;
    if (!TakeVarint(packed, std::numeric_limits<std::uint32_t>::max(), value)) return false;
    count = static_cast<std::uint32_t>(value);
  }
  return true;
}

absl::StatusOr<std::shared_ptr<const PullRequest>> Expand(
    const std::shared_ptr<const CompactPull>& pull, KeyLists& lists) {
  auto out = std::make_shared<PullRequest>();
  out->request = pull->request;
  out->epoch = pull->epoch;
  out->step = pull->step;
  out->wants_counts = pull->wants_counts;
  out->compact = pull->values;
  out->owners.push_back(pull);
  out->sections.reserve(pull->sections.size());
  KeyReader keys("CompactPull", pull->keys, lists);
  for (const CompactSection& section : pull->sections) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::span<const Key> list, keys.Take(section, out->owners));
    out->sections.push_back({.partition = section.partition,
                             .table = section.table,
                             .dim = section.dim,
                             .keys = list,
                             .target = {}});
  }
  LONGTAIL_RETURN_IF_ERROR(keys.Finish());
  return std::shared_ptr<const PullRequest>(std::move(out));
}

absl::StatusOr<std::shared_ptr<const PushRequest>> Expand(
    const std::shared_ptr<const CompactPush>& push, KeyLists& lists) {
  auto out = std::make_shared<ExpandedPush>();
  out->session = push->session;
  out->request = push->request;
  out->epoch = push->epoch;
  out->step = push->step;
  out->learning_rate_scale = push->learning_rate_scale;
  out->owners.push_back(push);
  out->sections.reserve(push->sections.size());
  KeyReader keys("CompactPush", push->keys, lists);
  std::size_t key_count = 0;
  for (const CompactSection& section : push->sections) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::span<const Key> list, keys.Take(section, out->owners));
    out->sections.push_back({.partition = section.partition,
                             .table = section.table,
                             .dim = section.dim,
                             .sequence = section.sequence,
                             .keys = list,
                             .counts = {},
                             .gradients = {}});
    key_count += section.key_count;
  }
  LONGTAIL_RETURN_IF_ERROR(keys.Finish());
  out->counts.resize(key_count);
  LONGTAIL_RETURN_IF_ERROR(ExpandCounts(push->counts, out->counts));
  LONGTAIL_RETURN_IF_ERROR(ExpandGradients(*push, *out));
  std::span<const std::uint32_t> counts = out->counts;
  for (PushSection& section : out->sections) {
    section.counts = counts.first(section.keys.size());
    counts = counts.subspan(section.keys.size());
  }
  return std::shared_ptr<const PushRequest>(std::move(out));
}

}  // namespace longtail
