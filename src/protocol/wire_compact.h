// Compact pulls, pushes and their answers in frames.
#pragma once

#include "protocol/compact_messages.h"
#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"

namespace longtail::wire {

// Arrays must agree with the sections in size.
void Put(const CompactPull& message, FrameWriter& writer);
void Put(const CompactPush& message, FrameWriter& writer);
void Put(const CompactPullReply& message, FrameWriter& writer);
void Put(const KeysWanted& message, FrameWriter& writer);

// After an error the message is incomplete and the reader says why. What lists and packed arrays
// say is for protocol/expand.h to check.
void Take(FrameReader& reader, CompactPull& message);
void Take(FrameReader& reader, CompactPush& message);
void Take(FrameReader& reader, CompactPullReply& message);
void Take(FrameReader& reader, KeysWanted& message);

}  // namespace longtail::wire
