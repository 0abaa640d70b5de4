// The messages that run a cluster in frames: sessions, tables, statistics, snapshots, imports.
#pragma once

#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"
#include "protocol/messages.h"

namespace longtail::wire {

void Put(const OpenSession& message, FrameWriter& writer);
void Put(const CloseSession& message, FrameWriter& writer);
void Put(const CreateTable& message, FrameWriter& writer);
void Put(const StatisticsRequest& message, FrameWriter& writer);
void Put(const StatisticsReply& message, FrameWriter& writer);
void Put(const SnapshotRequest& message, FrameWriter& writer);
void Put(const SnapshotReply& message, FrameWriter& writer);
void Put(const ImportRows& message, FrameWriter& writer);
void Put(const ImportStep& message, FrameWriter& writer);

// After an error the message is incomplete and the reader says why.
void Take(FrameReader& reader, OpenSession& message);
void Take(FrameReader& reader, CloseSession& message);
void Take(FrameReader& reader, CreateTable& message);
void Take(FrameReader& reader, StatisticsRequest& message);
void Take(FrameReader& reader, StatisticsReply& message);
void Take(FrameReader& reader, SnapshotRequest& message);
void Take(FrameReader& reader, SnapshotReply& message);
void Take(FrameReader& reader, ImportRows& message);
void Take(FrameReader& reader, ImportStep& message);

}  // namespace longtail::wire
