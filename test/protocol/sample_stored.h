// Stored values for tests: a snapshot's chunk and a manifest, no field zero or like another.
#pragma once

#include <string>

#include "protocol/coordinator_state.h"
#include "protocol/lane_base.h"
#include "protocol/manifest.h"
#include "protocol/snapshot_format.h"

namespace longtail::test {

SnapshotChunk SampleChunk();

/// Of the second version, its values in bf16.
SnapshotChunk SampleIncrementChunk();

/// Of the second version, with rows of counts.
SnapshotChunk SampleCountChunk();

Manifest SampleManifest();

/// Of the second version.
Manifest SampleIncrementManifest();

CoordinatorState SampleCoordinatorState();

LaneBase SampleLaneBase();

/// The payload of the golden trainer-state blob.
std::string SampleTrainerState();

/// Every field in words: two with the same text are equal.
std::string InWords(const SnapshotChunk& chunk);
std::string InWords(const Manifest& manifest);

}  // namespace longtail::test
