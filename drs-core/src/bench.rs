//! The engine's inner steps, one at a time, for this project's benches; not for others.

use std::{
    collections::{HashMap, VecDeque},
    error::Error,
    path::Path,
    sync::Arc,
};

use drs_binlog::{
    Decoder, EventSource, EventType, FileSource, FormatDescription, RawEvent, Rows, Step, TableMap,
    TransactionAssembler,
};
use mysql::{Conn, Opts};

use crate::{
    apply::{
        RoutedRows, RoutedTransaction, TablePlan,
        bench::{NetChange, TableNet, packets},
    },
    checkpoint::TransactionId,
    dialect::ServerVersion,
    endpoint::Role,
    object::TableName,
    pipeline::{PACKET_BYTES_MAX, batch_limits},
    replicate::{
        EventCollector, TransactionEvents,
        bench::{Definitions, OpenBatches, WriteSet, add_write_set},
    },
    rule::Added,
    session::{self, SessionError},
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The transactions of a log, as lanes get them.
pub struct Transactions {
    routed: Vec<RoutedTransaction>,
    /// The server that they are written for.
    version: ServerVersion,
}

impl Transactions {
    /// Reads a log whole. All its tables are taken, and must be at the server; statements are left
    /// out.
    ///
    /// # Errors
    /// What the files or the server say; a compressed transaction.
    pub fn read<P: AsRef<Path>>(files: &[P], server: &Opts) -> Result<Self> {
        let version = ServerVersion::of(&mut Conn::new(server.clone())?)?;
        let mut tables = Tables::new(server.clone(), version);
        let mut source = FileSource::open(files);
        let mut assembler = TransactionAssembler::new();
        let mut collector = EventCollector::new(usize::MAX);
        let mut format = None;
        let mut routed = Vec::new();
        while let Some(event) = source.next_event()? {
            let raw = event.raw;
            if raw.header.event_type == EventType::FORMAT_DESCRIPTION {
                format = format_of(event.decoder);
            }
            let step = assembler.step(&raw)?;
            match step {
                Step::Starts | Step::Whole(_) | Step::Abandons => collector.clear(),
                Step::Outside | Step::Inside | Step::Ends(_) => {}
                Step::Unpack => return Err("a compressed transaction".into()),
            }
            if !matches!(step, Step::Outside | Step::Abandons) {
                collector.push(&raw)?;
            }
            if let (Step::Ends(_) | Step::Whole(_), Some(format)) = (step, &format) {
                let id = TransactionId {
                    end: event.end(),
                    gtid: None,
                };
                let TransactionEvents::Memory(events) = collector.finish()? else {
                    return Err("a transaction that is not in memory".into());
                };
                let mut transaction = RoutedTransaction {
                    seq: routed.len() as u64 + 1,
                    id,
                    committed_at_us: 0,
                    events,
                    format: Arc::clone(format),
                    rows: Vec::new(),
                    xa: None,
                    _share: None,
                };
                tables.route(&mut transaction)?;
                if !transaction.rows.is_empty() {
                    routed.push(transaction);
                }
            }
        }
        Ok(Self { routed, version })
    }

    /// Changes of single rows.
    ///
    /// # Errors
    /// A row event is malformed.
    pub fn row_changes(&self) -> Result<u64> {
        let mut changes = 0;
        for (plan, rows) in parse(&self.routed)? {
            for change in rows.changes(&plan.columns) {
                change?;
                changes += 1;
            }
        }
        Ok(changes)
    }

    /// Writes the SQL of batches of so many transactions each; its bytes.
    ///
    /// # Errors
    /// A batch can't be written as one.
    pub fn encode(&self, batch_transactions: usize) -> Result<usize> {
        let mut bytes = 0;
        for batch in self.routed.chunks(batch_transactions) {
            // Instead of the lane's row, which is of no size to speak of.
            let (packets, _) = packets(batch, "DO 0", self.version, PACKET_BYTES_MAX)
                .map_err(|error| format!("{error:?}"))?;
            bytes += packets
                .iter()
                .map(|packet| packet.text().len())
                .sum::<usize>();
        }
        Ok(bytes)
    }

    /// Folds batches of so many transactions each; the number of rows that they change.
    ///
    /// # Errors
    /// A table has no key, or a change contradicts those before it.
    pub fn net_changes(&self, batch_transactions: usize) -> Result<usize> {
        let mut changes = 0;
        for batch in self.routed.chunks(batch_transactions) {
            let parsed = parse(batch)?;
            let mut nets: HashMap<_, TableNet<'_>> = HashMap::new();
            for (plan, rows) in &parsed {
                let key = plan.schema.row_key().ok_or("a table without a key")?;
                let net = nets
                    .entry(Arc::as_ptr(&plan.schema))
                    .or_insert_with(|| TableNet::new(key, false));
                for change in rows.changes(&plan.columns) {
                    if let Some(change) = plan.change(&change?)? {
                        net.fold(change).map_err(|error| format!("{error:?}"))?;
                    }
                }
            }
            changes += nets
                .into_values()
                .flat_map(TableNet::into_changes)
                .filter(|net| !matches!(net, NetChange::Nothing(_)))
                .count();
        }
        Ok(changes)
    }

    /// Makes batches for so many lanes, of the size that a run's have: what each transaction
    /// touches, and which batch it goes to. A batch is committed when nothing else makes room. The
    /// number of batches.
    ///
    /// # Errors
    /// A row event is malformed; no lanes.
    pub fn schedule(&self, lanes: usize) -> Result<usize> {
        let mut batches = OpenBatches::new(batch_limits(lanes));
        // In the order in which they are begun, each behind batches before it only.
        let mut running = VecDeque::new();
        let mut count = 0;
        for transaction in &self.routed {
            let mut write_set = WriteSet::default();
            for (plan, rows) in parse(std::slice::from_ref(transaction))? {
                add_write_set(&mut write_set, plan, &rows)?;
            }
            let mut waiting = Some((transaction, write_set));
            while let Some((transaction, write_set)) = waiting {
                let bytes = transaction.events.size();
                waiting = batches.place(transaction, bytes, write_set).err();
                let began = begin(&mut batches, &mut running, lanes, waiting.is_some());
                count += began;
                if waiting.is_some() && began == 0 {
                    let number = running.pop_front().ok_or("no batch makes room")?;
                    batches.commit(number);
                }
            }
        }
        while !batches.is_idle() {
            count += begin(&mut batches, &mut running, lanes, true);
            let number = running.pop_front().ok_or("no batch can begin")?;
            batches.commit(number);
        }
        Ok(count)
    }
}

/// Begins batches on the lanes that are idle; how many.
fn begin<T>(
    batches: &mut OpenBatches<T>,
    running: &mut VecDeque<u64>,
    lanes: usize,
    dry: bool,
) -> usize {
    let before = running.len();
    while running.len() < lanes
        && let Some(batch) = batches.take_ready(dry)
    {
        running.push_back(batch.number);
    }
    running.len() - before
}

/// The row events of transactions, in order.
fn parse(transactions: &[RoutedTransaction]) -> Result<Vec<(&TablePlan, Rows<'_>)>> {
    let mut parsed = Vec::new();
    for transaction in transactions {
        for routed in &transaction.rows {
            if let Some(raw) = transaction.events.event(routed.event)? {
                parsed.push((&*routed.plan, Rows::parse(&raw, &transaction.format)?));
            }
        }
    }
    Ok(parsed)
}

fn format_of(decoder: &Decoder) -> Option<Arc<FormatDescription>> {
    decoder.format().cloned().map(Arc::new)
}

/// How the rows of each table are written, by the log's table number, with the table map's bytes.
struct Tables {
    definitions: Definitions,
    plans: HashMap<u64, (Vec<u8>, Arc<TablePlan>)>,
}

impl Tables {
    fn new(server: Opts, version: ServerVersion) -> Self {
        let open = move || {
            let mut conn = Conn::new(server.clone())?;
            session::destination_session(&mut conn, version)?;
            Ok(conn)
        };
        let connect = Arc::new(move || {
            open().map_err(|source| SessionError::Setup {
                role: Role::Destination,
                source,
            })
        });
        Self {
            definitions: Definitions::new(connect.clone(), connect),
            plans: HashMap::new(),
        }
    }

    fn route(&mut self, transaction: &mut RoutedTransaction) -> Result<()> {
        for index in 0..transaction.events.len() {
            let Some(raw) = transaction.events.event(index)? else {
                continue;
            };
            match raw.header.event_type {
                EventType::TABLE_MAP => {
                    self.table_map(&raw, &transaction.format, &transaction.id)?
                }
                kind if kind.is_rows() => {
                    let table_id = Rows::parse(&raw, &transaction.format)?.table_id;
                    let (_, plan) = self.plans.get(&table_id).ok_or("rows without a table")?;
                    transaction.rows.push(RoutedRows {
                        event: index,
                        plan: Arc::clone(plan),
                        lenient: false,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn table_map(
        &mut self,
        raw: &RawEvent<'_>,
        format: &FormatDescription,
        id: &TransactionId,
    ) -> Result<()> {
        let map = TableMap::parse(raw, format)?;
        if let Some((body, _)) = self.plans.get(&map.table_id)
            && body == raw.body
        {
            return Ok(());
        }
        let name = TableName::new(
            std::str::from_utf8(map.database)?,
            std::str::from_utf8(map.table)?,
        )?;
        let columns = map.compile()?;
        let schema = self.definitions.table(&name, id)?;
        let charsets = self.definitions.charsets()?;
        let projection = TablePlan::projection(&schema, &columns, None, &charsets)?;
        let schema = self
            .definitions
            .projected(&name, &schema, projection, Added::none());
        let plan = TablePlan {
            source: name,
            schema,
            columns,
            rule: None,
            family: None,
        };
        self.plans
            .insert(map.table_id, (raw.body.to_vec(), Arc::new(plan)));
        Ok(())
    }
}
