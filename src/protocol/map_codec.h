// A cluster map as bytes, within a message or the coordinator's state.
#pragma once

#include "base/bytes.h"
#include "protocol/cluster_map.h"
#include "protocol/field_reader.h"

namespace longtail {

void EncodeServerEntry(const ServerEntry& server, ByteWriter& writer);
void EncodeClusterMap(const ClusterMap& map, ByteWriter& writer);

// After an error what they give is incomplete and the reader says why.
ServerEntry ReadServerEntry(FieldReader& reader);

/// Checks that partitions are a power of two and belong to lanes there are.
ClusterMap ReadClusterMap(FieldReader& reader);

}  // namespace longtail
