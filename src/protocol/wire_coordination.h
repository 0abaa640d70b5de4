// The messages from and to the coordinator in frames.
#pragma once

#include "protocol/coordination.h"
#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"

namespace longtail::wire {

void Put(const JoinServer& message, FrameWriter& writer);
void Put(const JoinWorker& message, FrameWriter& writer);
void Put(const WorkerPlace& message, FrameWriter& writer);
void Put(const Heartbeat& message, FrameWriter& writer);
void Put(const LeaveWorker& message, FrameWriter& writer);
void Put(const MapRequest& message, FrameWriter& writer);
void Put(const MapReply& message, FrameWriter& writer);
void Put(const DefineTable& message, FrameWriter& writer);
void Put(const TableReply& message, FrameWriter& writer);
void Put(const PlaceLanes& message, FrameWriter& writer);
void Put(const RollBack& message, FrameWriter& writer);
void Put(const MembersRequest& message, FrameWriter& writer);
void Put(const MembersReply& message, FrameWriter& writer);
void Put(const EnterBarrier& message, FrameWriter& writer);
void Put(const AboutRequest& message, FrameWriter& writer);
void Put(const AboutReply& message, FrameWriter& writer);

// After an error the message is incomplete and the reader says why.
void Take(FrameReader& reader, JoinServer& message);
void Take(FrameReader& reader, JoinWorker& message);
void Take(FrameReader& reader, WorkerPlace& message);
void Take(FrameReader& reader, Heartbeat& message);
void Take(FrameReader& reader, LeaveWorker& message);
void Take(FrameReader& reader, MapRequest& message);
void Take(FrameReader& reader, MapReply& message);
void Take(FrameReader& reader, DefineTable& message);
void Take(FrameReader& reader, TableReply& message);
void Take(FrameReader& reader, PlaceLanes& message);
void Take(FrameReader& reader, RollBack& message);
void Take(FrameReader& reader, MembersRequest& message);
void Take(FrameReader& reader, MembersReply& message);
void Take(FrameReader& reader, EnterBarrier& message);
void Take(FrameReader& reader, AboutRequest& message);
void Take(FrameReader& reader, AboutReply& message);

}  // namespace longtail::wire
