//! `mysql_common`'s decoder over the same log.

use std::{
    fs::File,
    hint::black_box,
    io::{BufReader, Result},
    path::PathBuf,
};

use mysql_common::binlog::{
    BinlogFile, EventStreamReader,
    consts::BinlogVersion,
    events::{EventData, RowsEventData},
    jsonb,
    value::BinlogValue,
};

use super::Found;

/// Every value of the files. Checksums are not verified: the library leaves that to its callers.
pub(crate) fn from_files(files: &[PathBuf]) -> Result<Found> {
    let mut found = Found::default();
    for file in files {
        let input = BufReader::with_capacity(256 << 10, File::open(file)?);
        let mut log = BinlogFile::new(BinlogVersion::Version4, input)?;
        while let Some(event) = log.next() {
            let event = event?;
            match event.read_data()? {
                Some(EventData::RowsEvent(rows)) => walk_rows(&rows, log.reader(), &mut found)?,
                Some(EventData::TransactionPayloadEvent(payload)) => {
                    let mut input = payload.decompressed()?;
                    while let Some(event) = log.reader_mut().read_decompressed(&mut input)? {
                        match event.read_data()? {
                            Some(EventData::RowsEvent(rows)) => {
                                walk_rows(&rows, log.reader(), &mut found)?
                            }
                            other => drop(black_box(other)),
                        }
                    }
                }
                other => drop(black_box(other)),
            }
        }
    }
    Ok(found)
}

fn walk_rows(
    rows: &RowsEventData<'_>,
    tables: &EventStreamReader,
    found: &mut Found,
) -> Result<()> {
    let Some(table) = tables.get_tme(rows.table_id()) else {
        return Ok(());
    };
    for change in rows.rows(table) {
        let (before, after) = change?;
        for image in [before, after].into_iter().flatten() {
            found.images += 1;
            for value in image.unwrap() {
                found.values += 1;
                if let BinlogValue::Jsonb(value) = black_box(&value) {
                    found.json_scalars += walk_json(value)?;
                }
            }
        }
    }
    Ok(())
}

fn walk_json(value: &jsonb::Value<'_>) -> Result<u64> {
    let mut scalars = 0;
    macro_rules! members {
        ($object:expr) => {
            for member in $object.iter() {
                let (key, value) = member?;
                black_box(key);
                scalars += walk_json(&value)?;
            }
        };
    }
    macro_rules! elements {
        ($array:expr) => {
            for element in $array.iter() {
                scalars += walk_json(&element?)?;
            }
        };
    }
    match black_box(value) {
        jsonb::Value::SmallObject(object) => members!(object),
        jsonb::Value::LargeObject(object) => members!(object),
        jsonb::Value::SmallArray(array) => elements!(array),
        jsonb::Value::LargeArray(array) => elements!(array),
        scalar => {
            // Dates and decimals get their types here.
            if let jsonb::Value::Opaque(_) = scalar {
                black_box(scalar.clone().parse()?);
            }
            scalars += 1;
        }
    }
    Ok(scalars)
}
