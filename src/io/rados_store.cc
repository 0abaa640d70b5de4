#include "io/rados_store.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <span>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "io/file_store.h"
#include "io/rados_operation.h"
#include "io/this_process.h"
#include "protocol/checksum.h"

namespace longtail {
namespace {

// A reader begins again when the blob is replaced meanwhile; more often than this is no chance.
constexpr int kReadAttemptsMax = 16;

std::vector<std::string> PartsOf(const std::string& name, const ObjectHeader& blob) {
  std::vector<std::string> objects;
  for (std::uint32_t part = 1; part < blob.part_count; ++part) {
    objects.push_back(ObjectName(name, blob.write_id, part));
  }
  return objects;
}

// The bytes of the blob that belong into the object of `header`.
template <typename T>
auto Of(const ObjectHeader& header, T&& bytes) {
  return bytes.subspan(static_cast<std::size_t>(header.offset()), header.size());
}

}  // namespace

absl::StatusOr<std::unique_ptr<RadosStore>> RadosStore::Open(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const RadosAddress parsed, ParseRadosAddress(address));
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<RadosPool> pool, RadosPool::Connect(parsed));
  return std::unique_ptr<RadosStore>(new RadosStore(std::move(pool)));
}

std::string RadosStore::What(const std::string& object, const std::string& name) const {
  return absl::StrCat(Describe(), ": object '", object, "'",
                      object == name ? "" : absl::StrCat(" of blob '", name, "'"));
}

absl::Status RadosStore::NoBlob(const std::string& name) const {
  return absl::NotFoundError(absl::StrCat("no blob '", name, "' in ", Describe()));
}

bool RadosStore::Counts(const std::string& holder) const {
  return hold_ == nullptr || holder == hold_->id();
}

absl::Status RadosStore::Admit(std::string_view name) const {
  LONGTAIL_RETURN_IF_ERROR(ValidateBlobName(name));
  return hold_ == nullptr ? absl::OkStatus() : hold_->Admit(name);
}

// --- Writing -------------------------------------------------------------------------------------

absl::Status RadosStore::Write(std::string_view name, std::string_view bytes) {
  LONGTAIL_RETURN_IF_ERROR(Admit(name));
  if (bytes.size() > kBlobBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("blob '", std::string(name), "': ", bytes.size(),
                                                   " bytes: want at most ", kBlobBytesMax));
  }
  const std::string head_name(name);
  ObjectHeader head{.part = 0,
                    .part_count = ObjectPartCount(bytes.size(), kRadosPartBytes),
                    .part_bytes = kRadosPartBytes,
                    .blob_bytes = bytes.size(),
                    .write_id = DrawIncarnation(),
                    .checksum = 0};
  const std::string_view data = bytes.substr(0, head.size());
  head.checksum = Checksum(AsBytes(data));
  {
    const MutexLock lock(&mutex_);
    growing_.erase(head_name);
  }
  if (hold_ != nullptr) {
    hold_->Add(head_name);
    LONGTAIL_RETURN_IF_ERROR(WriteParts(head_name, head, bytes));
    absl::StatusOr<Put> put = PutObject(head_name, data, head);
    if (put.ok()) {
      LONGTAIL_RETURN_IF_ERROR(hold_->Check());
      if (put->replaced.ok()) RemoveParts(head_name, *put->replaced).IgnoreError();
    } else if (!absl::IsUnavailable(put.status())) {
      RemoveParts(head_name, head).IgnoreError();
    }
    return put.status();
  }

  // An object's operations are done in the order in which they were started: this one still sees
  // what the head is to replace.
  RadosRead replaced;
  replaced.Start(*pool_, head_name, {});
  LONGTAIL_RETURN_IF_ERROR(WriteParts(head_name, head, bytes));
  RadosWrite written;
  written.Replace(data, head);
  written.Start(*pool_, head_name);
  if (const int error = written.Wait(); error < 0) {
    // Of what was refused nothing stays. What timed out may be there all the same.
    if (error != -ETIMEDOUT) RemoveParts(head_name, head).IgnoreError();
    return pool_->Problem(error, absl::StrCat("writing ", bytes.size(), " bytes to blob"),
                          head_name);
  }
  if (replaced.Wait() == 0) {
    const absl::StatusOr<ObjectHeader> old = replaced.Header(head_name);
    // The new blob is there, whatever becomes of these: RemoveUnfinished finds them.
    if (old.ok()) RemoveParts(head_name, *old).IgnoreError();
  }
  return absl::OkStatus();
}

absl::Status RadosStore::WriteParts(const std::string& name, const ObjectHeader& blob,
                                    std::string_view bytes) {
  const std::span<const char> all(bytes.data(), bytes.size());
  std::deque<RadosWrite> under_way;
  int error = 0;
  const auto wait_for_oldest = [&] {
    const int outcome = under_way.front().Wait();
    under_way.pop_front();
    if (error == 0) error = outcome;
  };
  ObjectHeader part = blob;
  for (part.part = 1; part.part < blob.part_count && error == 0; ++part.part) {
    if (under_way.size() == kRadosOperationsMax) wait_for_oldest();
    const std::span<const char> data = Of(part, all);
    part.checksum = Checksum(std::as_bytes(data));
    RadosWrite& write = under_way.emplace_back();
    write.Replace({data.data(), data.size()}, part);
    write.Start(*pool_, ObjectName(name, blob.write_id, part.part));
  }
  while (!under_way.empty()) wait_for_oldest();
  if (error == 0) return absl::OkStatus();
  // After a timeout each removal would take as long again.
  if (error != -ETIMEDOUT) RemoveParts(name, blob).IgnoreError();
  return pool_->Problem(error, absl::StrCat("writing ", bytes.size(), " bytes to blob"), name);
}

// --- Reading -------------------------------------------------------------------------------------

absl::StatusOr<std::string> RadosStore::Read(std::string_view name) {
  LONGTAIL_RETURN_IF_ERROR(ValidateBlobName(name));
  const std::string head_name(name);
  absl::Status status;
  std::uint64_t tried = 0;
  for (int attempt = 0; attempt < kReadAttemptsMax; ++attempt) {
    std::string bytes;
    LONGTAIL_ASSIGN_OR_RETURN(const ObjectHeader head, ReadHead(head_name, bytes));
    // A part that is gone though the head still names it is damage; else the blob was replaced.
    if (!status.ok() && head.write_id == tried) return status;
    tried = head.write_id;
    if (head.grows()) {
      LONGTAIL_RETURN_IF_ERROR(ReadGrown(head_name, head, bytes));
      return bytes;
    }
    status = ReadParts(head_name, head, bytes);
    if (status.ok()) return bytes;
    if (!absl::IsDataLoss(status)) return status;
  }
  return status;
}

absl::StatusOr<ObjectHeader> RadosStore::ReadHead(const std::string& name,
                                                  std::string& bytes) const {
  bytes.resize(kRadosPartBytes);
  for (;;) {
    RadosRead read;
    read.Start(*pool_, name, bytes);
    if (const int error = read.Wait(); error == -ENOENT) {
      return NoBlob(name);
    } else if (error < 0) {
      return pool_->Problem(error, "reading blob", name);
    }
    if (!Counts(read.holder())) return NoBlob(name);
    const std::string what = What(name, name);
    LONGTAIL_ASSIGN_OR_RETURN(const ObjectHeader head, read.Header(what));
    if (head.part != 0 || head.blob_bytes > kBlobBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": part ", head.part, " of a blob of ", head.blob_bytes,
                       " bytes: want part 0, and at most ", kBlobBytesMax, " bytes"));
    }
    if (head.size() > bytes.size()) {  // Written with larger parts than ours.
      bytes.resize(head.size());
      continue;
    }
    if (head.grows()) {
      bytes.resize(read.size());
      return head;
    }
    LONGTAIL_RETURN_IF_ERROR(
        CheckObjectData(what, head, std::string_view(bytes).substr(0, read.size())));
    bytes.resize(static_cast<std::size_t>(head.blob_bytes));
    return head;
  }
}

absl::Status RadosStore::ReadParts(const std::string& name, const ObjectHeader& head,
                                   std::string& bytes) const {
  struct Part {
    ObjectHeader header;
    RadosRead read;
  };
  std::deque<Part> under_way;
  absl::Status status;
  const auto take_oldest = [&] {
    Part& part = under_way.front();
    const std::string object = ObjectName(name, head.write_id, part.header.part);
    const std::string what = What(object, name);
    const absl::Cleanup pop = [&] { under_way.pop_front(); };
    const int error = part.read.Wait();
    if (!status.ok()) return;
    if (error == -ENOENT) {
      status = absl::DataLossError(absl::StrCat(what, ": it is not there, and the head names it"));
      return;
    }
    if (error < 0) {
      status = pool_->Problem(error, "reading object", object);
      return;
    }
    const absl::StatusOr<ObjectHeader> found = part.read.Header(what);
    if (!found.ok()) {
      status = found.status();
      return;
    }
    part.header.checksum = found->checksum;
    if (*found != part.header) {
      status = absl::DataLossError(
          absl::StrCat(what, ": its attribute names another part, or one of another blob"));
      return;
    }
    const std::span<char> data = Of(part.header, std::span(bytes));
    status = CheckObjectData(what, part.header, {data.data(), part.read.size()});
  };
  ObjectHeader header = head;
  for (header.part = 1; header.part < head.part_count && status.ok(); ++header.part) {
    if (under_way.size() == kRadosOperationsMax) take_oldest();
    Part& part = under_way.emplace_back();
    part.header = header;
    part.read.Start(*pool_, ObjectName(name, head.write_id, header.part),
                    Of(header, std::span(bytes)));
  }
  while (!under_way.empty()) take_oldest();
  return status;
}

absl::StatusOr<RadosStore::Seen> RadosStore::See(const std::string& object) const {
  RadosRead read;
  read.Start(*pool_, object, {});
  return TakeSeen(read, object);
}

absl::StatusOr<RadosStore::Seen> RadosStore::TakeSeen(RadosRead& read,
                                                      const std::string& object) const {
  if (const int error = read.Wait(); error == -ENOENT) {
    return NoBlob(object);
  } else if (error < 0) {
    return pool_->Problem(error, "reading the header of blob", object);
  }
  return Seen{.version = read.version(),
              .bytes = read.object_bytes(),
              .holder = read.holder(),
              .header = read.Header(What(object, object))};
}

// --- Listing and removing ------------------------------------------------------------------------

absl::StatusOr<std::vector<std::string>> RadosStore::Objects(std::string_view prefix) const {
  rados_list_ctx_t list = nullptr;
  if (const int error = rados_nobjects_list_open(pool_->io(), &list); error < 0) {
    return pool_->Problem(error, "listing objects that begin with", std::string(prefix));
  }
  const absl::Cleanup close = [&] { rados_nobjects_list_close(list); };
  std::vector<std::string> names;
  for (;;) {
    const char* name = nullptr;
    std::size_t size = 0;
    const int error =
        rados_nobjects_list_next2(list, &name, nullptr, nullptr, &size, nullptr, nullptr);
    if (error == -ENOENT) break;
    if (error < 0) {
      return pool_->Problem(error, "listing objects that begin with", std::string(prefix));
    }
    const std::string_view text(name, size);
    if (text.starts_with(prefix)) names.emplace_back(text);
  }
  std::ranges::sort(names);
  // While placement groups are split, an object may be listed twice.
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

absl::StatusOr<std::vector<std::string>> RadosStore::List(std::string_view prefix) {
  if (hold_ != nullptr) return hold_->Names(prefix);
  LONGTAIL_ASSIGN_OR_RETURN(std::vector<std::string> names, Objects(prefix));
  std::erase_if(names, [](const std::string& name) { return !ValidateBlobName(name).ok(); });
  return names;
}

absl::Status RadosStore::Remove(std::string_view name) {
  LONGTAIL_RETURN_IF_ERROR(Admit(name));
  const std::string head_name(name);
  {
    const MutexLock lock(&mutex_);
    growing_.erase(head_name);
  }
  // Of a head that is damaged, the parts cannot be known here.
  absl::StatusOr<Seen> head = See(head_name);
  if (head.ok() && !Counts(head->holder)) {
    LONGTAIL_RETURN_IF_ERROR(hold_->Check());
    head = NoBlob(head_name);
  }
  if (absl::IsNotFound(head.status()) && hold_ != nullptr) hold_->Forget(head_name);
  LONGTAIL_RETURN_IF_ERROR(head.status());
  if (!head->header.ok() && !absl::IsDataLoss(head->header.status())) return head->header.status();
  // One that is done late is not to remove what was written since.
  RadosWrite removal;
  removal.OnlyIfAt(head->version);
  removal.Remove();
  removal.Start(*pool_, head_name);
  const int error = removal.Wait();
  if (error < 0 && !IsChanged(error)) return pool_->Problem(error, "removing blob", head_name);
  if (error < 0 && hold_ != nullptr) LONGTAIL_RETURN_IF_ERROR(hold_->Check());
  if (error < 0 && error != -ENOENT) {
    return absl::UnavailableError(
        absl::StrCat(Describe(), ": removing blob '", head_name, "': it was changed meanwhile"));
  }
  if (hold_ != nullptr) hold_->Forget(head_name);
  if (error == -ENOENT) return NoBlob(head_name);
  return head->header.ok() ? RemoveParts(head_name, *head->header) : absl::OkStatus();
}

absl::Status RadosStore::RemoveParts(const std::string& name, const ObjectHeader& head) const {
  return head.grows() ? RemoveGrown(name, head) : RemoveObjects(PartsOf(name, head));
}

absl::Status RadosStore::RemoveObjects(const std::vector<std::string>& objects) const {
  std::deque<RadosWrite> under_way;
  absl::Status status;
  std::size_t done = 0;
  const auto wait_for_oldest = [&] {
    const int error = under_way.front().Wait();
    under_way.pop_front();
    const std::string& object = objects[done++];
    if (error < 0 && error != -ENOENT && status.ok()) {
      status = pool_->Problem(error, "removing object", object);
    }
  };
  for (const std::string& object : objects) {
    if (!status.ok()) break;
    if (under_way.size() == kRadosOperationsMax) wait_for_oldest();
    RadosWrite& removal = under_way.emplace_back();
    removal.Remove();
    removal.Start(*pool_, object);
  }
  while (!under_way.empty()) wait_for_oldest();
  return status;
}

absl::Status RadosStore::RemoveUnfinished(std::string_view prefix) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> objects, Objects(prefix));
  std::map<std::string, std::uint64_t> named;  // By each head, its parts' write; 0: by none.
  std::vector<std::string> unfinished;
  for (const std::string& object : objects) {
    const absl::StatusOr<ObjectPart> part = ParseObjectPart(object);
    if (!part.ok() || (hold_ != nullptr && !object.starts_with(hold_->prefix()))) continue;
    auto head = named.find(part->blob);
    if (head == named.end()) {
      const absl::StatusOr<Seen> seen = See(part->blob);
      if (!seen.ok() && !absl::IsNotFound(seen.status())) return seen.status();
      const bool is_there = seen.ok() && Counts(seen->holder);
      if (is_there) LONGTAIL_RETURN_IF_ERROR(seen->header.status());
      head = named.emplace(part->blob, is_there ? seen->header->write_id : 0).first;
    }
    if (part->write_id != head->second) unfinished.push_back(object);
  }
  // Then none of them is of who may hold them by now.
  if (hold_ != nullptr) LONGTAIL_RETURN_IF_ERROR(hold_->Check());
  return RemoveObjects(unfinished);
}

}  // namespace longtail
