// Any bytes are a message or an error; a message has one encoding, and is the same in two parts as
// in one. What is compact is a request or an error.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/expand.h"
#include "protocol/wire.h"

namespace {

using longtail::Message;

// Any list that the request names, so that what follows its names is looked at, too.
void AddNamed(const std::vector<longtail::CompactSection>& sections,
              const longtail::CompactKeys& keys, longtail::KeyLists& lists) {
  std::size_t digest = 0;
  for (const longtail::CompactSection& section : sections) {
    if (section.form != longtail::KeyForm::kDigest) continue;
    const longtail::KeyDigest& name = keys.digests[digest++];
    if (section.key_count > 1000 || lists.Find(name) != nullptr) continue;
    lists.Add(name, section.key_count,
              std::make_shared<const std::vector<longtail::Key>>(section.key_count));
  }
}

template <typename T>
void ExpandIfIs(const Message& message) {
  const auto* const compact = std::get_if<std::shared_ptr<const T>>(&message);
  if (compact == nullptr) return;
  longtail::KeyLists lists(1 << 16);
  static_cast<void>(longtail::Expand(*compact, lists));
  AddNamed((*compact)->sections, (*compact)->keys, lists);
  static_cast<void>(longtail::Expand(*compact, lists));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const absl::StatusOr<Message> message = longtail::Decode(bytes);
  if (!message.ok()) return 0;
  std::string frame;
  longtail::Encode(*message, frame);
  LONGTAIL_CHECK(frame == longtail::AsText(bytes));
  ExpandIfIs<longtail::CompactPull>(*message);
  ExpandIfIs<longtail::CompactPush>(*message);
  // Cut somewhere: refused if that is within the fields, else the same message.
  const std::size_t cut = size * 2 / 3;
  const std::span<const std::byte> parts[] = {bytes.first(cut), bytes.subspan(cut)};
  const absl::StatusOr<Message> joined = longtail::Decode(parts);
  if (!joined.ok()) return 0;
  longtail::Encode(*joined, frame);
  LONGTAIL_CHECK(frame == longtail::AsText(bytes));
  return 0;
}
