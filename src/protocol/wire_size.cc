#include "protocol/wire_size.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "protocol/format_limits.h"
#include "protocol/frame.h"

namespace longtail {
namespace {

std::uint64_t Aligned(std::uint64_t size) {
  return (size + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

// A frame with so many bytes of fields, to which arrays are added.
WireSize Frame(std::uint64_t field_bytes) {
  return {.bytes = Aligned(kFrameHeaderBytes + field_bytes)};
}

template <typename T>
void AddKeys(std::span<const T> array, WireSize& size) {
  size.bytes += Aligned(array.size_bytes());
  size.keys += array.size_bytes();
}
template <typename T>
void AddValues(std::span<const T> array, WireSize& size) {
  size.bytes += Aligned(array.size_bytes());
  size.values += array.size_bytes();
}
template <typename T>
void AddRest(std::span<const T> array, WireSize& size) {
  size.bytes += Aligned(array.size_bytes());
}
void AddKeys(const CompactKeys& keys, WireSize& size) {
  AddKeys(keys.plain, size);
  AddKeys(keys.digests, size);
  AddKeys(keys.deltas, size);
}

std::uint64_t StatusBytes(const absl::Status& status) {
  return 8 + std::min<std::uint64_t>(status.message().size(), kStatusMessageSizeMax);
}

// Sections of count tables, whose fields are longer.
template <typename Section>
std::uint64_t CountSections(const std::vector<Section>& sections) {
  return static_cast<std::uint64_t>(
      std::ranges::count(sections, TableKind::kCounts, &Section::kind));
}

WireSize SizeOf(const PullRequest& pull) {
  WireSize size = Frame(29 + 16 * pull.sections.size() + 4 * CountSections(pull.sections));
  for (const PullSection& section : pull.sections) AddKeys(section.keys, size);
  return size;
}
WireSize SizeOf(const PushRequest& push) {
  WireSize size = Frame(40 + 24 * push.sections.size() + 12 * CountSections(push.sections));
  for (const PushSection& section : push.sections) {
    AddKeys(section.keys, size);
    AddRest(section.counts, size);
    AddValues(section.gradients, size);
    AddValues(section.packed, size);
  }
  return size;
}
WireSize SizeOf(const BarrierRequest& barrier) {
  return Frame(36 + 12 * barrier.sections.size());
}
WireSize SizeOf(const CompactPull& pull) {
  WireSize size = Frame(38 + 17 * pull.sections.size());
  AddKeys(pull.keys, size);
  return size;
}
WireSize SizeOf(const CompactPush& push) {
  WireSize size = Frame(57 + 25 * push.sections.size());
  AddKeys(push.keys, size);
  AddRest(push.counts, size);
  AddValues(push.gradients, size);
  return size;
}
template <typename T>
WireSize SizeOf(const std::shared_ptr<const T>& message) {
  return SizeOf(*message);
}
WireSize SizeOf(const PullReply& reply) {
  WireSize size = Frame(48 + StatusBytes(reply.status));
  AddValues(reply.values, size);
  AddRest(reply.counts, size);
  AddValues(reply.packed, size);
  return size;
}
WireSize SizeOf(const CompactPullReply& reply) {
  WireSize size = Frame(41);
  AddValues(reply.rows, size);
  AddRest(reply.counts, size);
  return size;
}
WireSize SizeOf(const Acknowledgement& ack) {
  return Frame(16 + StatusBytes(ack.status));
}
WireSize SizeOf(const OpenSession&) {
  return Frame(36);
}
WireSize SizeOf(const CloseSession&) {
  return Frame(16);
}
WireSize SizeOf(const KeysWanted&) {
  return Frame(8);
}

}  // namespace

WireSize SizeOnWire(const Message& message) {
  return std::visit(
      [](const auto& body) -> WireSize {
        if constexpr (requires { SizeOf(body); }) {
          return SizeOf(body);
        } else {
          return {};
        }
      },
      message);
}

}  // namespace longtail
