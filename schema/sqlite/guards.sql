-- Guards: the file itself keeps facts append-only against every program that opens it. UPDATE and DELETE are refused;
-- an insert is refused when its key is there (INSERT OR REPLACE would get past the other two) and when it is out of
-- order: records are numbered densely, and the rows of a record come with it, in the number it states, before the next.
-- What a row may hold is checked here too and not by CHECK, which would cost a bulk import of the program itself.
-- The guards are dropped and made again inside the transaction of a bulk import; nobody sees the gap.
CREATE TRIGGER guard_migration_update BEFORE UPDATE ON migration BEGIN SELECT RAISE(ABORT, 'append-only: migration is never updated'); END;
CREATE TRIGGER guard_migration_delete BEFORE DELETE ON migration BEGIN SELECT RAISE(ABORT, 'append-only: migration is never deleted from'); END;
CREATE TRIGGER guard_regime_update BEFORE UPDATE ON regime BEGIN SELECT RAISE(ABORT, 'append-only: regime is never updated'); END;
CREATE TRIGGER guard_regime_delete BEFORE DELETE ON regime BEGIN SELECT RAISE(ABORT, 'append-only: regime is never deleted from'); END;
CREATE TRIGGER guard_batch_update BEFORE UPDATE ON batch BEGIN SELECT RAISE(ABORT, 'append-only: batch is never updated'); END;
CREATE TRIGGER guard_batch_delete BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'append-only: batch is never deleted from'); END;
CREATE TRIGGER guard_whole_source_update BEFORE UPDATE ON whole_source BEGIN SELECT RAISE(ABORT, 'append-only: whole_source is never updated'); END;
CREATE TRIGGER guard_whole_source_delete BEFORE DELETE ON whole_source BEGIN SELECT RAISE(ABORT, 'append-only: whole_source is never deleted from'); END;
CREATE TRIGGER guard_record_update BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'append-only: record is never updated'); END;
CREATE TRIGGER guard_record_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'append-only: record is never deleted from'); END;
CREATE TRIGGER guard_line_update BEFORE UPDATE ON line BEGIN SELECT RAISE(ABORT, 'append-only: line is never updated'); END;
CREATE TRIGGER guard_line_delete BEFORE DELETE ON line BEGIN SELECT RAISE(ABORT, 'append-only: line is never deleted from'); END;
CREATE TRIGGER guard_event_line_update BEFORE UPDATE ON event_line BEGIN SELECT RAISE(ABORT, 'append-only: event_line is never updated'); END;
CREATE TRIGGER guard_event_line_delete BEFORE DELETE ON event_line BEGIN SELECT RAISE(ABORT, 'append-only: event_line is never deleted from'); END;
CREATE TRIGGER guard_act_update BEFORE UPDATE ON act BEGIN SELECT RAISE(ABORT, 'append-only: act is never updated'); END;
CREATE TRIGGER guard_act_delete BEFORE DELETE ON act BEGIN SELECT RAISE(ABORT, 'append-only: act is never deleted from'); END;
CREATE TRIGGER guard_refusal_update BEFORE UPDATE ON refusal BEGIN SELECT RAISE(ABORT, 'append-only: refusal is never updated'); END;
CREATE TRIGGER guard_refusal_delete BEFORE DELETE ON refusal BEGIN SELECT RAISE(ABORT, 'append-only: refusal is never deleted from'); END;
CREATE TRIGGER guard_entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append-only: entry is never updated'); END;
CREATE TRIGGER guard_entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append-only: entry is never deleted from'); END;
CREATE TRIGGER guard_party_update BEFORE UPDATE ON party BEGIN SELECT RAISE(ABORT, 'append-only: party is never updated'); END;
CREATE TRIGGER guard_party_delete BEFORE DELETE ON party BEGIN SELECT RAISE(ABORT, 'append-only: party is never deleted from'); END;
CREATE TRIGGER guard_shipment_line_update BEFORE UPDATE ON shipment_line BEGIN SELECT RAISE(ABORT, 'append-only: shipment_line is never updated'); END;
CREATE TRIGGER guard_shipment_line_delete BEFORE DELETE ON shipment_line BEGIN SELECT RAISE(ABORT, 'append-only: shipment_line is never deleted from'); END;
CREATE TRIGGER guard_holding_update BEFORE UPDATE ON holding BEGIN SELECT RAISE(ABORT, 'append-only: holding is never updated'); END;
CREATE TRIGGER guard_holding_delete BEFORE DELETE ON holding BEGIN SELECT RAISE(ABORT, 'append-only: holding is never deleted from'); END;
CREATE TRIGGER guard_charge_update BEFORE UPDATE ON charge BEGIN SELECT RAISE(ABORT, 'append-only: charge is never updated'); END;
CREATE TRIGGER guard_charge_delete BEFORE DELETE ON charge BEGIN SELECT RAISE(ABORT, 'append-only: charge is never deleted from'); END;
CREATE TRIGGER guard_filing_update BEFORE UPDATE ON filing BEGIN SELECT RAISE(ABORT, 'append-only: filing is never updated'); END;
CREATE TRIGGER guard_filing_delete BEFORE DELETE ON filing BEGIN SELECT RAISE(ABORT, 'append-only: filing is never deleted from'); END;
CREATE TRIGGER guard_filed_file_update BEFORE UPDATE ON filed_file BEGIN SELECT RAISE(ABORT, 'append-only: filed_file is never updated'); END;
CREATE TRIGGER guard_filed_file_delete BEFORE DELETE ON filed_file BEGIN SELECT RAISE(ABORT, 'append-only: filed_file is never deleted from'); END;
CREATE TRIGGER guard_filed_part_update BEFORE UPDATE ON filed_part BEGIN SELECT RAISE(ABORT, 'append-only: filed_part is never updated'); END;
CREATE TRIGGER guard_filed_part_delete BEFORE DELETE ON filed_part BEGIN SELECT RAISE(ABORT, 'append-only: filed_part is never deleted from'); END;
CREATE TRIGGER guard_migration_insert BEFORE INSERT ON migration BEGIN
    SELECT RAISE(ABORT, 'append-only: migrations are numbered densely') WHERE NEW.version IS NOT (SELECT coalesce(max(version), 0) + 1 FROM migration);
END;
CREATE TRIGGER guard_regime_insert BEFORE INSERT ON regime BEGIN
    SELECT RAISE(ABORT, 'append-only: regimes are kept in order') WHERE NEW.adopted_by <= (SELECT coalesce(max(adopted_by), -1) FROM regime);
END;
CREATE TRIGGER guard_batch_insert BEFORE INSERT ON batch BEGIN
    SELECT RAISE(ABORT, 'append-only: batches are numbered densely') WHERE NEW.batch IS NOT (SELECT coalesce(max(batch), 0) + 1 FROM batch);
END;
CREATE TRIGGER guard_whole_source_insert BEFORE INSERT ON whole_source BEGIN
    SELECT RAISE(ABORT, 'append-only: the file is noted already') WHERE EXISTS (SELECT 1 FROM whole_source WHERE sha256 = NEW.sha256);
END;
CREATE TRIGGER guard_record_insert BEFORE INSERT ON record BEGIN
    SELECT RAISE(ABORT, 'append-only: no such kind of record') WHERE NEW.kind NOT IN ('application', 'event', 'act', 'company', 'filing', 'regime');
    SELECT RAISE(ABORT, 'append-only: a field of the record is out of its range') WHERE NEW.id = '' OR NEW.effective_on NOT BETWEEN 10101 AND 99991231 OR length(NEW.digest) <> 32 OR length(NEW.allocation) <> 2;
    SELECT RAISE(ABORT, 'append-only: an application has a revision and an applicant, anything else says what it is') WHERE (NEW.kind = 'application') <> (NEW.revision IS NOT NULL AND NEW.applicant IS NOT NULL AND NEW.what IS NULL);
    SELECT RAISE(ABORT, 'append-only: a refused record posts nothing') WHERE NEW.refused NOT IN (0, 1) OR NEW.line_count < 0 OR NEW.entry_count < 0 OR (NEW.refused = 1 AND NEW.entry_count > 0);
    SELECT RAISE(ABORT, 'append-only: records are numbered densely') WHERE NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM record);
    SELECT RAISE(ABORT, 'append-only: an event id is unique for ever') WHERE NEW.kind NOT IN ('application', 'regime') AND EXISTS (SELECT 1 FROM record WHERE id = NEW.id AND kind NOT IN ('application', 'regime'));
    SELECT RAISE(ABORT, 'append-only: an application number is unique') WHERE NEW.kind = 'application' AND NEW.application = NEW.seq AND EXISTS (SELECT 1 FROM record WHERE id = NEW.id AND kind = 'application' AND application = seq);
    SELECT RAISE(ABORT, 'append-only: a revision is unique') WHERE NEW.kind = 'application' AND NEW.application <> NEW.seq AND EXISTS (SELECT 1 FROM record WHERE application = NEW.application AND application <> seq AND kind = 'application' AND revision = NEW.revision);
    SELECT RAISE(ABORT, 'append-only: the lines of the last record are missing') WHERE (SELECT line_count FROM record ORDER BY seq DESC LIMIT 1) > (SELECT count(*) FROM line WHERE seq = NEW.seq - 1) + (SELECT count(*) FROM event_line WHERE seq = NEW.seq - 1) + (SELECT count(*) FROM shipment_line WHERE seq = NEW.seq - 1) + (SELECT count(*) FROM filed_file WHERE seq = NEW.seq - 1);
    SELECT RAISE(ABORT, 'append-only: the entries of the last record are missing') WHERE (SELECT entry_count FROM record ORDER BY seq DESC LIMIT 1) > (SELECT count(*) FROM entry WHERE seq = NEW.seq - 1) + (SELECT count(*) FROM charge WHERE seq = NEW.seq - 1);
END;
CREATE TRIGGER guard_line_insert BEFORE INSERT ON line BEGIN
    SELECT RAISE(ABORT, 'append-only: a field of the line is out of its range') WHERE NEW.line < 1 OR length(NEW.destination) <> 2 OR length(NEW.consignee_headquarters) <> 2 OR length(NEW.parent_headquarters) <> 2 OR NEW.assumed NOT IN (0, 1);
    SELECT RAISE(ABORT, 'append-only: no such kind of consignee or activity') WHERE NEW.consignee_kind NOT IN ('private_sector', 'government') OR NEW.activity NOT IN ('export', 'reexport', 'transfer');
    SELECT RAISE(ABORT, 'append-only: a line counts a quantity by the unit or in aggregate') WHERE NEW.quantity NOT BETWEEN 1 AND 2147483647 OR (NEW.counts_per_unit IS NULL) = (NEW.counts_aggregated IS NULL);
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM line WHERE seq = NEW.seq AND line = NEW.line);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM line WHERE seq = NEW.seq) >= (SELECT line_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_event_line_insert BEFORE INSERT ON event_line BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM event_line WHERE seq = NEW.seq AND ord = NEW.ord);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM event_line WHERE seq = NEW.seq) >= (SELECT line_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_act_insert BEFORE INSERT ON act BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM act WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_refusal_insert BEFORE INSERT ON refusal BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM refusal WHERE seq = NEW.seq AND ord = NEW.ord);
END;
CREATE TRIGGER guard_entry_insert BEFORE INSERT ON entry BEGIN
    SELECT RAISE(ABORT, 'append-only: a field of the entry is out of its range') WHERE NEW.ord < 0 OR NEW.effective_on NOT BETWEEN 10101 AND 99991231 OR length(NEW.allocation) <> 2;
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM entry WHERE seq = NEW.seq AND ord = NEW.ord);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM entry WHERE seq = NEW.seq) + (SELECT count(*) FROM charge WHERE seq = NEW.seq) >= (SELECT entry_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_party_insert BEFORE INSERT ON party BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM party WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_holding_insert BEFORE INSERT ON holding BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM holding WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_shipment_line_insert BEFORE INSERT ON shipment_line BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM shipment_line WHERE seq = NEW.seq AND line = NEW.line);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM shipment_line WHERE seq = NEW.seq) >= (SELECT line_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_charge_insert BEFORE INSERT ON charge BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM charge WHERE seq = NEW.seq AND ord = NEW.ord);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM charge WHERE seq = NEW.seq) + (SELECT count(*) FROM entry WHERE seq = NEW.seq) >= (SELECT entry_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_filing_insert BEFORE INSERT ON filing BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM filing WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_filed_file_insert BEFORE INSERT ON filed_file BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM filed_file WHERE seq = NEW.seq AND ord = NEW.ord);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM filed_file WHERE seq = NEW.seq) >= (SELECT line_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_filed_part_insert BEFORE INSERT ON filed_part BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: a part belongs to a file and follows the one before') WHERE NOT EXISTS (SELECT 1 FROM filed_file WHERE seq = NEW.seq AND ord = NEW.ord) OR NEW.part IS NOT (SELECT count(*) FROM filed_part WHERE seq = NEW.seq AND ord = NEW.ord);
END;
