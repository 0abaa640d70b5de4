// How a blob grows that is extended, and is read again.
#include <algorithm>
#include <cerrno>
#include <deque>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/blob_name.h"
#include "io/rados_operation.h"
#include "io/rados_store.h"
#include "io/this_process.h"

namespace longtail {
namespace {

// An object that was changed since it was seen is looked at again: what was changed was our own
// doing, of which we heard too late, so more often than this is no chance.
constexpr int kAttemptsMax = 16;

std::string PartName(const std::string& name, const ObjectHeader& blob, std::uint64_t part) {
  return ObjectName(name, blob.write_id, static_cast<std::uint32_t>(part));
}

}  // namespace

absl::Status RadosStore::Extend(std::string_view name, std::uint64_t from, std::string_view bytes) {
  LONGTAIL_RETURN_IF_ERROR(Admit(name));
  if (bytes.size() > kBlobBytesMax || from > kBlobBytesMax - bytes.size()) {
    return absl::InvalidArgumentError(absl::StrCat("extending blob '", std::string(name),
                                                   "': ", from, " and ", bytes.size(),
                                                   " bytes: want at most ", kBlobBytesMax));
  }
  const std::string head_name(name);
  if (from == 0) return Begin(head_name, bytes);
  LONGTAIL_ASSIGN_OR_RETURN(Growth growth, GrowthOf(head_name, from));
  if (growth.write_id == 0) {  // It does not grow yet.
    LONGTAIL_ASSIGN_OR_RETURN(std::string blob, Read(name));
    blob.resize(static_cast<std::size_t>(from));
    blob += bytes;
    return Begin(head_name, blob);
  }
  // What is there is durable.
  if (growth.end == from && growth.is_all && bytes.empty()) return absl::OkStatus();
  std::uint64_t version = 0;
  const absl::Status grown = Grow(head_name, growth, from, bytes, version);
  growth.end = grown.ok() ? from + bytes.size() : from;
  growth.is_all = grown.ok();
  growth.version = grown.ok() ? version : 0;
  const MutexLock lock(&mutex_);
  growing_[head_name] = growth;
  return grown;
}

// Its parts, then its head, as in Write. Its parts' names stay the same when it is tried again.
absl::Status RadosStore::Begin(const std::string& name, std::string_view bytes) {
  Growth growth;
  {
    const MutexLock lock(&mutex_);
    const auto known = growing_.find(name);
    const bool was_tried = known != growing_.end() && known->second.end == 0;
    growth.write_id = was_tried ? known->second.write_id : DrawIncarnation();
    growing_[name] = growth;
  }
  if (hold_ != nullptr) hold_->Add(name);
  std::uint64_t version = 0;
  if (bytes.size() >= growth.part_bytes) {
    LONGTAIL_RETURN_IF_ERROR(
        Grow(name, growth, growth.part_bytes, bytes.substr(growth.part_bytes), version));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const Put put,
                            PutObject(name, bytes.substr(0, growth.part_bytes), growth.header()));
  if (hold_ != nullptr) LONGTAIL_RETURN_IF_ERROR(hold_->Check());
  if (put.replaced.ok() && put.replaced->write_id != growth.write_id) {
    RemoveParts(name, *put.replaced).IgnoreError();
  }
  growth.end = bytes.size();
  growth.is_all = true;
  growth.version = bytes.size() < growth.part_bytes ? put.version : version;
  const MutexLock lock(&mutex_);
  growing_[name] = growth;
  return absl::OkStatus();
}

absl::StatusOr<RadosStore::Put> RadosStore::PutObject(const std::string& object,
                                                      std::string_view data,
                                                      const ObjectHeader& header) const {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Put put;
    RadosWrite write;
    absl::StatusOr<Seen> seen = See(object);
    if (seen.ok()) {
      // Another's does not count, whoever that was: unless it is who holds them now.
      if (!Counts(seen->holder)) LONGTAIL_RETURN_IF_ERROR(hold_->Check());
      write.OnlyIfAt(seen->version);
      put.replaced = std::move(seen->header);
    } else if (absl::IsNotFound(seen.status())) {
      write.OnlyIfNew();
    } else {
      return seen.status();
    }
    write.Replace(data, header);
    if (hold_ != nullptr) write.SetHolder(hold_->id());
    write.Start(*pool_, object);
    const int error = write.Wait();
    if (error == 0) {
      put.version = write.version();
      return put;
    }
    if (!IsChanged(error)) {
      return pool_->Problem(error, absl::StrCat("writing ", data.size(), " bytes to object"),
                            object);
    }
  }
  return absl::UnavailableError(absl::StrCat(Describe(), ": object '", object, "' was changed by ",
                                             "others ", kAttemptsMax, " times while it was put"));
}

absl::StatusOr<RadosStore::Growth> RadosStore::GrowthOf(const std::string& name,
                                                        std::uint64_t from) {
  {
    const MutexLock lock(&mutex_);
    const auto known = growing_.find(name);
    if (known != growing_.end() && known->second.end >= from) {
      Growth growth = known->second;
      if (growth.end != from) {
        growth.is_all = false;
        growth.version = 0;
      }
      return growth;
    }
  }
  LONGTAIL_ASSIGN_OR_RETURN(const Seen head, See(name));
  if (!Counts(head.holder)) {
    LONGTAIL_RETURN_IF_ERROR(hold_->Check());
    return NoBlob(name);
  }
  LONGTAIL_ASSIGN_OR_RETURN(const ObjectHeader header, head.header);
  Growth growth;
  growth.end = header.blob_bytes;
  growth.is_all = true;
  if (header.grows()) {
    LONGTAIL_ASSIGN_OR_RETURN(growth.end, GrownBytes(name, header));
    growth.write_id = header.write_id;
    growth.part_bytes = header.part_bytes;
  }
  if (growth.end >= from) return growth;
  return absl::FailedPreconditionError(absl::StrCat("extending blob '", name, "' in ", Describe(),
                                                    ": ", growth.end, " bytes: want at least ",
                                                    from));
}

absl::StatusOr<std::uint64_t> RadosStore::GrownBytes(const std::string& name,
                                                     ObjectHeader part) const {
  for (part.part = 0;; ++part.part) {
    const absl::StatusOr<Seen> seen = See(PartName(name, part, part.part));
    if (absl::IsNotFound(seen.status())) return part.offset();
    LONGTAIL_RETURN_IF_ERROR(seen.status());
    if (!Counts(seen->holder)) return part.offset();
    if (seen->bytes < part.part_bytes) return part.offset() + seen->bytes;
  }
}

// The part's first `offset` bytes are there, and `version` is its own if it is known.
absl::StatusOr<std::uint64_t> RadosStore::AppendToPart(const std::string& object,
                                                       std::uint64_t offset, std::string_view data,
                                                       std::uint64_t version) const {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    bool has_more = false;
    if (version == 0) {
      absl::StatusOr<Seen> seen = See(object);
      if (seen.ok() && !Counts(seen->holder)) seen = NoBlob(object);
      // It was there, so if it is not now, then by who holds it now.
      if (absl::IsNotFound(seen.status()) && hold_ != nullptr) {
        LONGTAIL_RETURN_IF_ERROR(hold_->Check());
      }
      if (absl::IsNotFound(seen.status()) || (seen.ok() && seen->bytes < offset)) {
        return absl::DataLossError(
            absl::StrCat(Describe(), ": object '", object, "' has ", seen.ok() ? seen->bytes : 0,
                         " bytes: want at least ", offset, ", which were there"));
      }
      LONGTAIL_RETURN_IF_ERROR(seen.status());
      version = seen->version;
      has_more = seen->bytes > offset;
    }
    // What an attempt that failed has on its way may yet be done: it finds another version then.
    RadosWrite write;
    write.OnlyIfAt(version);
    if (has_more) rados_write_op_truncate(write.operation(), offset);
    if (!data.empty()) {
      rados_write_op_write(write.operation(), data.data(), data.size(), offset);
    }
    write.Start(*pool_, object);
    const int error = write.Wait();
    if (error == 0) return write.version();
    if (!IsChanged(error)) {
      return pool_->Problem(error, absl::StrCat("appending ", data.size(), " bytes to object"),
                            object);
    }
    version = 0;
  }
  return absl::UnavailableError(absl::StrCat(Describe(), ": object '", object, "' was changed by ",
                                             "others ", kAttemptsMax, " times while it grew"));
}

// `version` becomes that of its last part.
absl::Status RadosStore::Grow(const std::string& name, const Growth& growth, std::uint64_t from,
                              std::string_view bytes, std::uint64_t& version) const {
  ObjectHeader header = growth.header();
  const std::uint64_t part_bytes = growth.part_bytes;
  const std::uint64_t first = from / part_bytes;
  const std::uint64_t last = (from + bytes.size()) / part_bytes;
  // A part is there from its first byte on that counts; one that is known may be empty.
  const bool appends = from % part_bytes != 0 || growth.version != 0;
  struct New {
    ObjectHeader header;
    std::string_view data;
    RadosWrite write;
  };
  std::deque<New> under_way;
  absl::Status status;
  const auto take_oldest = [&] {
    New& part = under_way.front();
    const absl::Cleanup pop = [&] { under_way.pop_front(); };
    const std::string object = PartName(name, part.header, part.header.part);
    const int error = part.write.Wait();
    version = error == 0 ? part.write.version() : 0;
    if (!status.ok() || error == 0) return;
    if (!IsChanged(error)) {
      status = pool_->Problem(
          error, absl::StrCat("appending ", part.data.size(), " bytes to object"), object);
      return;
    }
    // An earlier attempt left it, or a former holder.
    const absl::StatusOr<Put> put = PutObject(object, part.data, part.header);
    if (put.ok()) {
      version = put->version;
    } else {
      status = put.status();
    }
  };
  const std::string_view head =
      bytes.substr(0, static_cast<std::size_t>((first + 1) * part_bytes - from));
  for (std::uint64_t i = appends ? first + 1 : first; i <= last && status.ok(); ++i) {
    if (under_way.size() == kRadosOperationsMax) take_oldest();
    New& part = under_way.emplace_back();
    header.part = static_cast<std::uint32_t>(i);
    part.header = header;
    part.data = i == first ? head
                           : bytes.substr(static_cast<std::size_t>(i * part_bytes - from),
                                          growth.part_bytes);
    part.write.OnlyIfNew();
    part.write.Replace(part.data, header);
    if (hold_ != nullptr) part.write.SetHolder(hold_->id());
    part.write.Start(*pool_, PartName(name, header, i));
  }
  const bool begins_parts = !under_way.empty();
  absl::StatusOr<std::uint64_t> appended = 0;
  if (appends && status.ok()) {
    appended = AppendToPart(PartName(name, header, first), from % part_bytes, head, growth.version);
  }
  while (!under_way.empty()) take_oldest();
  if (status.ok()) status = appended.status();
  if (last == first && appends) version = status.ok() ? *appended : 0;
  if (status.ok() && begins_parts && hold_ != nullptr) status = hold_->Check();
  return status;
}

// `bytes` has its first part.
absl::Status RadosStore::ReadGrown(const std::string& name, const ObjectHeader& head,
                                   std::string& bytes) const {
  struct Part {
    std::string object;
    std::string bytes;
    RadosRead read;
  };
  std::deque<Part> under_way;
  std::uint64_t next = 1;
  for (std::size_t size = bytes.size(); size == head.part_bytes;) {
    while (under_way.size() < kRadosOperationsMax) {
      Part& part = under_way.emplace_back();
      part.object = PartName(name, head, next++);
      part.bytes.resize(head.part_bytes);
      part.read.Start(*pool_, part.object, part.bytes);
    }
    Part& part = under_way.front();
    const absl::Cleanup pop = [&] { under_way.pop_front(); };
    if (const int error = part.read.Wait(); error == -ENOENT) {
      return absl::OkStatus();
    } else if (error < 0) {
      return pool_->Problem(error, "reading object", part.object);
    }
    if (!Counts(part.read.holder())) return absl::OkStatus();
    size = part.read.size();
    if (bytes.size() + size > kBlobBytesMax) {
      return absl::ResourceExhaustedError(absl::StrCat("reading blob '", name, "' in ", Describe(),
                                                       ": more than ", kBlobBytesMax, " bytes"));
    }
    bytes.append(part.bytes, 0, size);
  }
  return absl::OkStatus();
}

// What an append left that failed may have gaps.
absl::Status RadosStore::RemoveGrown(const std::string& name, const ObjectHeader& head) const {
  std::uint64_t next = 1;
  for (bool is_there = true; is_there;) {
    is_there = false;
    std::deque<RadosWrite> under_way;
    for (std::size_t i = 0; i < kRadosOperationsMax; ++i) {
      RadosWrite& removal = under_way.emplace_back();
      removal.Remove();
      removal.Start(*pool_, PartName(name, head, next++));
    }
    for (RadosWrite& removal : under_way) {
      const int error = removal.Wait();
      if (error < 0 && error != -ENOENT) {
        return pool_->Problem(error, "removing the parts of blob", name);
      }
      is_there = is_there || error == 0;
    }
  }
  return absl::OkStatus();
}

}  // namespace longtail
