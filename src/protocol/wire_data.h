// The messages of the data path in frames: pulls, pushes, barriers and their answers.
#pragma once

#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"
#include "protocol/messages.h"

namespace longtail::wire {

void Put(const PullRequest& message, FrameWriter& writer);
void Put(const PushRequest& message, FrameWriter& writer);
void Put(const BarrierRequest& message, FrameWriter& writer);
void Put(const PullReply& message, FrameWriter& writer);
void Put(const Acknowledgement& message, FrameWriter& writer);

// After an error the message is incomplete and the reader says why.
void Take(FrameReader& reader, PullRequest& message);
void Take(FrameReader& reader, PushRequest& message);
void Take(FrameReader& reader, BarrierRequest& message);
void Take(FrameReader& reader, PullReply& message);
void Take(FrameReader& reader, Acknowledgement& message);

}  // namespace longtail::wire
