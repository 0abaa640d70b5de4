// How a store takes blobs over for who holds them from now on (rados_hold.h).
#include <cerrno>
#include <deque>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/blob_name.h"
#include "io/rados_operation.h"
#include "io/rados_store.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<RadosStore>> RadosStore::OpenHeld(const std::string& address,
                                                                 const std::string& name,
                                                                 StoreLock::OnLost on_lost) {
  LONGTAIL_RETURN_IF_ERROR(ValidateBlobName(name));
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<RadosStore> store, Open(address));
  LONGTAIL_ASSIGN_OR_RETURN(store->hold_, RadosHold::Acquire(address, name, std::move(on_lost)));
  LONGTAIL_RETURN_IF_ERROR(store->TakeOver());
  return store;
}

absl::Status RadosStore::TakeOver() {
  LONGTAIL_ASSIGN_OR_RETURN(std::vector<std::string> objects, Objects(hold_->prefix()));
  std::erase(objects, absl::StrCat(hold_->prefix(), "holder"));
  LONGTAIL_ASSIGN_OR_RETURN(const auto seen, SeeAll(objects));
  // Before anything is removed: what was seen is then of nobody who took over after this one.
  LONGTAIL_RETURN_IF_ERROR(hold_->Check());
  std::vector<std::string> heads;
  for (const auto& [object, was] : seen) {
    if (ParseObjectPart(object).ok()) continue;
    if (hold_->Follows(was.holder)) {
      heads.push_back(object);
      if (ValidateBlobName(object).ok()) hold_->Add(object);
    } else {  // Somebody added it who was no holder any more.
      LONGTAIL_RETURN_IF_ERROR(RemoveOf(was.holder, object));
    }
  }
  LONGTAIL_RETURN_IF_ERROR(ClaimAll(heads, seen));
  // From here on they stay as they are, and with them which parts they name.
  LONGTAIL_ASSIGN_OR_RETURN(const auto held, SeeAll(heads));
  std::vector<std::string> parts;
  for (const auto& [object, was] : seen) {
    const absl::StatusOr<ObjectPart> part = ParseObjectPart(object);
    if (!part.ok()) continue;
    const auto head = held.find(part->blob);
    // Of a head that is damaged, the parts cannot be known: they stay.
    const bool is_damaged = head != held.end() && !head->second.header.ok();
    const bool is_named = head != held.end() && head->second.header.ok() &&
                          head->second.header->write_id == part->write_id;
    if (!hold_->Follows(was.holder) || (!is_named && !is_damaged)) {
      LONGTAIL_RETURN_IF_ERROR(RemoveOf(was.holder, object));
    } else if (is_named && head->second.header->grows()) {
      parts.push_back(object);  // Those of others are never changed.
    }
  }
  LONGTAIL_RETURN_IF_ERROR(ClaimAll(parts, seen));
  return hold_->Finish();
}

// If it is still that holder's.
absl::Status RadosStore::RemoveOf(const std::string& holder, const std::string& object) const {
  RadosWrite removal;
  if (!holder.empty()) removal.OnlyIfOf(holder);
  removal.Remove();
  removal.Start(*pool_, object);
  const int error = removal.Wait();
  if (error == 0 || IsChanged(error)) return absl::OkStatus();
  return pool_->Problem(error, "removing object", object);
}

absl::StatusOr<std::map<std::string, RadosStore::Seen>> RadosStore::SeeAll(
    const std::vector<std::string>& objects) const {
  std::map<std::string, Seen> seen;
  std::deque<RadosRead> under_way;
  std::size_t done = 0;
  for (std::size_t i = 0; done < objects.size();) {
    for (; i < objects.size() && under_way.size() < kRadosOperationsMax; ++i) {
      under_way.emplace_back().Start(*pool_, objects[i], {});
    }
    const std::string& object = objects[done++];
    absl::StatusOr<Seen> one = TakeSeen(under_way.front(), object);
    under_way.pop_front();
    if (absl::IsNotFound(one.status())) continue;
    LONGTAIL_RETURN_IF_ERROR(one.status());
    seen.emplace(object, *std::move(one));
  }
  return seen;
}

absl::Status RadosStore::ClaimAll(const std::vector<std::string>& objects,
                                  const std::map<std::string, Seen>& seen) const {
  std::deque<RadosWrite> under_way;
  std::size_t done = 0;
  for (std::size_t i = 0; done < objects.size();) {
    for (; i < objects.size() && under_way.size() < kRadosOperationsMax; ++i) {
      StartClaim(objects[i], seen.at(objects[i]), under_way.emplace_back());
    }
    LONGTAIL_RETURN_IF_ERROR(FinishClaim(objects[done++], under_way.front()));
    under_way.pop_front();
  }
  return absl::OkStatus();
}

// From then on its former holder can change it no more, and what that one has changed is there.
void RadosStore::StartClaim(const std::string& object, const Seen& seen, RadosWrite& claim) const {
  if (seen.holder.empty()) {
    claim.OnlyIfAt(seen.version);
  } else {
    claim.OnlyIfOf(seen.holder);
  }
  claim.SetHolder(hold_->id());
  claim.Start(*pool_, object);
}

absl::Status RadosStore::FinishClaim(const std::string& object, RadosWrite& claim) const {
  int error = claim.Wait();
  while (error < 0) {
    if (error == -ENOENT) {  // Its former holder removed it.
      hold_->Forget(object);
      return absl::OkStatus();
    }
    if (!IsChanged(error)) return pool_->Problem(error, "taking over object", object);
    // That one may have begun to take over itself.
    LONGTAIL_RETURN_IF_ERROR(hold_->Check());
    const absl::StatusOr<Seen> seen = See(object);
    if (absl::IsNotFound(seen.status())) {
      error = -ENOENT;
      continue;
    }
    LONGTAIL_RETURN_IF_ERROR(seen.status());
    if (seen->holder == hold_->id()) return absl::OkStatus();
    RadosWrite again;
    StartClaim(object, *seen, again);
    error = again.Wait();
  }
  return absl::OkStatus();
}

}  // namespace longtail
