// InWords: every field of a message as text. Structured bindings name each member, so a message
// with a new one does not compile here until it is added.
#include <span>
#include <sstream>
#include <type_traits>

#include "protocol/sample_messages.h"
#include "protocol/spec_codec.h"

namespace longtail::test {
namespace {

class Words {
 public:
  template <typename... T>
  void operator()(const T&... values) {
    (Add(values), ...);
  }
  std::string text() const { return out_.str(); }

 private:
  template <typename T>
  void Add(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      out_ << static_cast<std::uint64_t>(value) << ' ';
    } else {
      out_ << value << ' ';
    }
  }
  void Add(float value) { out_ << std::hexfloat << value << ' '; }
  void Add(const std::string& value) { out_ << value.size() << ':' << value << ' '; }
  void Add(const absl::Status& value) { Add(value.ToString()); }
  void Add(const TableSpec& value) { Add(EncodeTableSpec(value)); }
  template <typename T>
  void Add(std::span<const T> values) {
    out_ << '[' << values.size() << ": ";
    for (const T& value : values) Add(value);
    out_ << "] ";
  }
  template <typename T>
  void Add(const std::vector<T>& values) {
    Add(std::span<const T>(values));
  }
  void Add(const std::pair<std::uint32_t, std::uint64_t>& value) {
    out_ << value.first << 'x' << value.second << ' ';
  }
  void Add(const HotKeyCount& hot) {
    const auto& [key, count, error] = hot;
    (*this)(key, count, error);
  }
  void Add(const TableStatistics& statistics) {
    const auto& [rows, weights, state, header, index, free, tail, pulls, pushes, created, refused,
                 full, shared, promoted, idle, score, norm, budget, by_bucket, distinct, hot,
                 by_count, hash] = statistics;
    (*this)(rows, weights, state, header, index, free, tail, pulls, pushes, created, refused, full,
            shared, promoted, idle, score, norm, budget, std::span<const std::uint64_t>(by_bucket),
            distinct, hot, by_count, hash);
  }
  void Add(const PullSection& section) {
    const auto& [partition, table, dim, keys, target, kind] = section;
    (*this)(partition, table, dim, keys, kind);
    static_cast<void>(target);
  }
  void Add(const PushSection& section) {
    const auto& [partition, table, dim, sequence, keys, counts, gradients, kind, packed] = section;
    (*this)(partition, table, dim, sequence, keys, counts, gradients, kind, packed);
  }
  void Add(const CompactSection& section) {
    const auto& [partition, table, dim, key_count, form, sequence] = section;
    (*this)(partition, table, dim, key_count, form, sequence);
  }
  void Add(const KeyDigest& digest) {
    const auto& [low, high] = digest;
    (*this)(low, high);
  }
  void Add(std::byte value) { Add(std::to_integer<unsigned>(value)); }
  void Add(const CompactKeys& keys) {
    const auto& [plain, digests, deltas] = keys;
    (*this)(plain, digests, deltas);
  }
  void Add(const BarrierSection& section) {
    const auto& [partition, sequence] = section;
    (*this)(partition, sequence);
  }
  void Add(const SnapshotBlob& blob) {
    const auto& [name, bytes, checksum, rows] = blob;
    (*this)(name, bytes, checksum, rows);
  }
  void Add(const PartitionPosition& position) {
    const auto& [partition, log_position, step, rows, is_increment] = position;
    (*this)(partition, log_position, step, rows, is_increment);
  }

  void Add(const LaneEntry& lane) {
    const auto& [node, addresses, role] = lane;
    (*this)(node, addresses, role);
  }
  void Add(const LaneEpoch& lane) {
    const auto& [node, epoch] = lane;
    (*this)(node, epoch);
  }
  void Add(const StuckReplica& replica) {
    const auto& [lane, incarnation] = replica;
    (*this)(lane, incarnation);
  }
  void Add(const LaneLoad& load) {
    const auto& [lane, rows, pulled, pushed] = load;
    (*this)(lane, rows, pulled, pushed);
  }
  void Add(const ServerEntry& server) {
    const auto& [name, incarnation, host, lanes, log, drained] = server;
    (*this)(name, incarnation, host, lanes, log, drained);
  }
  void Add(const ClusterMap& map) {
    const auto& [version, epoch, mode, staleness, workers, lanes, lane_of, tables, servers, cluster,
                 replicas, epochs, rolled_back] = map;
    const auto& [checkpoint, step, first_session, id, at_us] = rolled_back;
    (*this)(version, epoch, mode, staleness, workers, lanes, lane_of, tables, servers, cluster,
            replicas, epochs, checkpoint, step, first_session, id, at_us);
  }
  void Add(const std::shared_ptr<const ClusterMap>& map) {
    if (map == nullptr) {
      (*this)("no map");
    } else {
      Add(*map);
    }
  }
  void Add(const Member& member) {
    const auto& [kind, name, number, silent, late, lanes, partitions, rows, bytes, follows, problem,
                 pulled, pushed, reads, behind] = member;
    (*this)(kind, name, number, silent, late, lanes, partitions, rows, bytes, follows, problem,
            pulled, pushed, reads, behind);
  }

  std::ostringstream out_;
};

void Put(const PullRequest& message, Words& words) {
  const auto& [request, epoch, step, wants_counts, compact, sections, sink, owners] = message;
  words("pull", request, epoch, step, wants_counts, sections);
  static_cast<void>(compact);
  static_cast<void>(sink);
  static_cast<void>(owners);
}
void Put(const PushRequest& message, Words& words) {
  const auto& [session, request, epoch, step, scale, compact, sections, owners] = message;
  words("push", session, request, epoch, step, scale, sections);
  static_cast<void>(compact);
  static_cast<void>(owners);
}
void Put(const CompactPull& message, Words& words) {
  const auto& [request, epoch, step, wants_counts, values, sections, keys, owner] = message;
  words("compact pull", request, epoch, step, wants_counts, values, sections, keys);
  static_cast<void>(owner);
}
void Put(const CompactPush& message, Words& words) {
  const auto& [session, request, epoch, step, scale, values, sections, keys, counts, gradients,
               owner] = message;
  words("compact push", session, request, epoch, step, scale, values, sections, keys, counts,
        gradients);
  static_cast<void>(owner);
}
void Put(const CompactPullReply& message, Words& words) {
  const auto& [request, step, epoch, values, rows, counts, owner] = message;
  words("compact pull reply", request, step, epoch, values, rows, counts);
  static_cast<void>(owner);
}
void Put(const KeysWanted& message, Words& words) {
  const auto& [request] = message;
  words("keys wanted", request);
}
void Put(const FollowLane& message, Words& words) {
  const auto& [request, lane, server, incarnation, place, epoch, last_epoch, next, held, image,
               part, offset] = message;
  words("follow", request, lane, server, incarnation, place, epoch, last_epoch, next, held, image,
        part, offset);
}
void Put(const PlaceLanes& message, Words& words) {
  const auto& [request, placing, lane, server] = message;
  words("place", request, placing, lane, server);
}
void Put(const RollBack& message, Words& words) {
  const auto& [request, checkpoint, step, id] = message;
  words("roll back", request, checkpoint, step, id);
}
void Put(const LaneEntries& message, Words& words) {
  const auto& [request, status, epoch, counted, log_end, first, image, part, parts, offset, bytes,
               frames, times, owners] = message;
  words("entries", request, status, epoch, counted, log_end, first, image, part, parts, offset,
        bytes, frames, times);
  static_cast<void>(owners);
}
void Put(const BarrierRequest& message, Words& words) {
  const auto& [session, request, epoch, step, sections] = message;
  words("barrier", session, request, epoch, step, sections);
}
void Put(const PullReply& message, Words& words) {
  const auto& [request, status, step, epoch, values, counts, owner, packed] = message;
  words("pull reply", request, status, step, epoch, values, counts, packed);
  static_cast<void>(owner);
}
void Put(const Acknowledgement& message, Words& words) {
  const auto& [request, status, step] = message;
  words("acknowledgement", request, status, step);
}
void Put(const OpenSession& message, Words& words) {
  const auto& [request, session, rank, step, epoch] = message;
  words("open", request, session, rank, step, epoch);
}
void Put(const CloseSession& message, Words& words) {
  const auto& [request, session] = message;
  words("close", request, session);
}
void Put(const CreateTable& message, Words& words) {
  const auto& [request, table, spec] = message;
  words("create", request, table, spec);
}
void Put(const StatisticsRequest& message, Words& words) {
  const auto& [request, table] = message;
  words("statistics", request, table);
}
void Put(const StatisticsReply& message, Words& words) {
  const auto& [request, status, statistics] = message;
  words("statistics reply", request, status, statistics);
}
void Put(const SnapshotRequest& message, Words& words) {
  const auto& [request, prefix, checkpoint, base, is_increment, values, epoch] = message;
  words("snapshot", request, prefix, checkpoint, base, is_increment, values, epoch);
}
void Put(const SnapshotReply& message, Words& words) {
  const auto& [request, status, blobs, positions] = message;
  words("snapshot reply", request, status, blobs, positions);
}
void Put(const ImportRows& message, Words& words) {
  const auto& [request, rows] = message;
  const auto& [table, value_count, keys, counts, last_steps, values, ends, packed] = *rows;
  words("import", request, table, value_count, keys, counts, last_steps, values, ends, packed);
}
void Put(const ImportStep& message, Words& words) {
  const auto& [request, step] = message;
  words("step", request, step);
}
void Put(const JoinServer& message, Words& words) {
  const auto& [request, server, cluster] = message;
  words("join server", request, server, cluster);
}
void Put(const JoinWorker& message, Words& words) {
  const auto& [request, name, incarnation, rank] = message;
  words("join worker", request, name, incarnation, rank);
}
void Put(const WorkerPlace& message, Words& words) {
  const auto& [request, status, session, rank, lease] = message;
  words("worker place", request, status, session, rank, lease);
}
void Put(const Heartbeat& message, Words& words) {
  const auto& [request, session, server, incarnation, version, rows, bytes, caught_up, stuck,
               pulled, pushed, behind, loads, tables] = message;
  words("heartbeat", request, session, server, incarnation, version, rows, bytes, caught_up, stuck,
        pulled, pushed, behind, loads, tables);
}
void Put(const LeaveWorker& message, Words& words) {
  const auto& [request, session] = message;
  words("leave worker", request, session);
}
void Put(const MapRequest& message, Words& words) {
  const auto& [request] = message;
  words("map request", request);
}
void Put(const MapReply& message, Words& words) {
  const auto& [request, status, waits_for, map] = message;
  words("map reply", request, status, waits_for, map);
}
void Put(const DefineTable& message, Words& words) {
  const auto& [request, spec] = message;
  words("define table", request, spec);
}
void Put(const TableReply& message, Words& words) {
  const auto& [request, status, table] = message;
  words("table reply", request, status, table);
}
void Put(const MembersRequest& message, Words& words) {
  const auto& [request] = message;
  words("members request", request);
}
void Put(const AboutRequest& message, Words& words) {
  const auto& [request] = message;
  words("about request", request);
}
void Put(const AboutReply& message, Words& words) {
  const auto& [request, status, name, version, time] = message;
  words("about reply", request, status, name, version, time);
}
void Put(const EnterBarrier& message, Words& words) {
  const auto& [request, name, participant, count] = message;
  words("enter barrier", request, name, participant, count);
}
void Put(const MembersReply& message, Words& words) {
  const auto& [request, status, waits_for, version, epoch, moves, members, lanes, tables] = message;
  words("members reply", request, status, waits_for, version, epoch, moves, members, lanes, tables);
}
template <typename T>
void Put(const std::shared_ptr<const T>& message, Words& words) {
  Put(*message, words);
}

}  // namespace

std::string InWords(const Message& message) {
  Words words;
  std::visit([&](const auto& body) { Put(body, words); }, message);
  return words.text();
}

}  // namespace longtail::test
