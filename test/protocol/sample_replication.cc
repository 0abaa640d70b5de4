// Samples of what the replicas of a lane say, and of who places them.
#include <array>
#include <memory>

#include "base/bytes.h"
#include "protocol/sample_messages.h"
#include "protocol/wire.h"

namespace longtail::test {
namespace {

std::uint32_t Random32(Rng& rng) {
  return static_cast<std::uint32_t>(rng.Next());
}

std::string RandomText(Rng& rng, std::size_t size_max) {
  std::string text(rng.Below(size_max + 1), ' ');
  for (char& c : text) c = static_cast<char>(rng.Below(256));
  return text;
}

LaneEntries RandomLaneEntries(Rng& rng) {
  LaneEntries entries{
      .request = rng.Next(),
      .status = rng.Below(2) == 0 ? absl::OkStatus() : absl::UnavailableError(RandomText(rng, 70)),
      .epoch = rng.Next(),
      .is_counted = rng.Below(2) == 0,
      .log_end = rng.Next(),
      .first = rng.Next(),
      .image = rng.Next(),
      .part = Random32(rng),
      .parts = Random32(rng),
      .offset = rng.Next(),
      .bytes = rng.Next(),
      .frames = {}};
  const auto texts = std::make_shared<std::vector<std::string>>(rng.Below(4));
  for (std::string& text : *texts) {
    text = RandomText(rng, 200);
    entries.frames.push_back(AsBytes(text));
    entries.times.push_back(rng.Next());
  }
  entries.owners.push_back(texts);
  return entries;
}

}  // namespace

LaneEntries SampleLaneEntries() {
  auto frames = std::make_shared<std::array<std::string, 2>>();
  Encode(Message{ImportStep{98, 99}}, (*frames)[0]);
  Encode(Message{CloseSession{45, SessionId{46}}}, (*frames)[1]);
  return {.request = 172,
          .status = absl::OkStatus(),
          .epoch = 173,
          .is_counted = true,
          .log_end = 190,
          .first = 174,
          .image = 175,
          .part = 176,
          .parts = 177,
          .offset = 178,
          .bytes = 179,
          .frames = {AsBytes((*frames)[0]), AsBytes((*frames)[1])},
          .times = {191, 192},
          .owners = {frames}};
}

Message RandomShort(Rng& rng) {
  switch (rng.Below(5)) {
    case 0:
      return MapRequest{rng.Next()};
    case 1:
      return MembersRequest{rng.Next()};
    case 2:
      return AboutRequest{rng.Next()};
    case 3:
      return LeaveWorker{rng.Next(), SessionId{rng.Next()}};
    default:
      return AboutReply{
          rng.Next(),
          rng.Below(2) == 0 ? absl::OkStatus() : absl::NotFoundError(RandomText(rng, 70)),
          RandomText(rng, 64), RandomText(rng, 64), rng.Next()};
  }
}

Message RandomReplication(Rng& rng) {
  switch (rng.Below(4)) {
    case 0:
      return FollowLane{rng.Next(),          NodeId{Random32(rng)},
                        RandomText(rng, 64), rng.Next(),
                        Random32(rng),       rng.Next(),
                        rng.Next(),          rng.Next(),
                        rng.Next(),          rng.Next(),
                        Random32(rng),       rng.Next()};
    case 1:
      return PlaceLanes{rng.Next(), static_cast<Placing>(rng.Below(4)), NodeId{Random32(rng)},
                        RandomText(rng, 64)};
    case 2:
      return RollBack{rng.Next(), RandomText(rng, 64), rng.Next() >> 2, rng.Next()};
    default:
      return RandomLaneEntries(rng);
  }
}

}  // namespace longtail::test
