// Fields and arrays of what a lane's replicas say to one another; see wire.h.
#pragma once

#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"
#include "protocol/replication.h"

namespace longtail::wire {

void Put(const FollowLane& message, FrameWriter& writer);
void Put(const LaneEntries& message, FrameWriter& writer);

void Take(FrameReader& reader, FollowLane& message);
void Take(FrameReader& reader, LaneEntries& message);

}  // namespace longtail::wire
