// Values as keys of etcd; a value's version is its key's mod_revision.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "io/etcd_gateway.h"
#include "io/meta_store.h"

namespace longtail {

/// The key "PREFIX/NAME" holds eight bytes that are of one write alone, then the value. Thread:
/// any.
class EtcdMetaStore final : public MetaStore {
 public:
  /// Asks nobody yet. Errors: as ParseEtcdAddress.
  static absl::StatusOr<std::unique_ptr<EtcdMetaStore>> Open(const std::string& address);

  absl::StatusOr<MetaValue> Read(std::string_view name) override;
  absl::StatusOr<std::uint64_t> Swap(std::string_view name, std::string_view bytes,
                                     std::uint64_t expected) override;
  std::string Describe() const override { return gateway_.address().place(); }

 private:
  explicit EtcdMetaStore(EtcdAddress address) : gateway_(std::move(address)) {}

  std::string KeyOf(std::string_view name) const;
  bool IsOfUnknownOutcome(const std::string& key, const std::string& write_id);

  EtcdGateway gateway_;
  Mutex mutex_;
  /// Writes of this object that nobody answered: each may have been done.
  std::map<std::string, std::vector<std::string>> unknown_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace longtail
