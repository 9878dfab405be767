//! XA transactions: what is kept of them, and what becomes of it.

use std::sync::{Arc, PoisonError};

use drs_binlog::Outcome;

use super::{Scheduler, Waiting};
use crate::{
    apply::{RoutedTransaction, XaChange},
    replicate::{
        FollowError, TransactionEvents,
        lane::{LargeTransaction, LargeXa},
        reader::SourceTransaction,
        route::{RouteContext, refused},
        write_set::WriteSet,
        xa::{KeepFilter, Kept, PreparedXa, XaEnd, kept_change, only_step, unknown_xid, xid_hash},
    },
};

impl Scheduler<'_> {
    /// Keeps the events of a transaction that is only prepared.
    pub(super) fn take_prepared(
        &mut self,
        seq: u64,
        mut transaction: SourceTransaction,
    ) -> Result<(), FollowError> {
        let (id, committed_at_us) = (transaction.id, transaction.committed_at_us);
        let format = transaction.format;
        let Some(xid) = transaction.xid.take() else {
            return Err(refused(&id, "it is prepared without an XA identifier"));
        };
        match transaction.events {
            TransactionEvents::Memory(arena) => {
                let context = RouteContext {
                    id: &id,
                    outcome: transaction.outcome,
                    format: &format,
                };
                let mut filter = KeepFilter::default();
                let kept = self.router().pick_prepared(&arena, &context, &mut filter)?;
                let step = self
                    .prepared
                    .step(&xid, kept_change(&kept, 0, true, &id.end));
                let kept = match filter.keeps() {
                    true => Kept::Remembered(kept, Arc::clone(&format)),
                    false => Kept::Nothing,
                };
                self.prepared.insert(xid, kept, &id)?;
                self.take_xa_step(only_step(seq, &id, committed_at_us, &format, step));
                Ok(())
            }
            TransactionEvents::Spilled(events) => {
                self.prepared
                    .insert(xid.clone(), Kept::AtDestination, &id)?;
                // What the step does to each part is told by the part.
                let step = self.prepared.step(&xid, XaChange::Remove);
                self.apply_large(LargeTransaction {
                    seq,
                    id,
                    outcome: transaction.outcome,
                    committed_at_us,
                    events,
                    format,
                    watermark: self.completion.watermark().clone(),
                    xa: LargeXa::Keep(step),
                    router: Arc::clone(&self.router),
                    routing: None,
                })
            }
        }
    }

    /// Applies what was kept of a prepared transaction that commits, and removes it.
    pub(super) fn take_xa_end(
        &mut self,
        seq: u64,
        end: &XaEnd,
        committed_at_us: u64,
        context: &RouteContext<'_>,
    ) -> Result<(), FollowError> {
        let id = context.id;
        let step = self.prepared.step(&end.xid, XaChange::Remove);
        let kept = match self.prepared.remove(&end.xid) {
            None if end.commits && !self.router().copies_hold(id) => return Err(unknown_xid(id)),
            None => {
                self.completion.finish(seq);
                return Ok(());
            }
            Some(kept) if end.commits => kept,
            Some(_) => Kept::Nothing,
        };
        let (events, format) = match kept {
            Kept::Nothing => {
                let format = Arc::new(context.format.clone());
                self.take_xa_step(only_step(seq, id, committed_at_us, &format, step));
                return Ok(());
            }
            Kept::Remembered(events, format) => (TransactionEvents::Memory(events), format),
            Kept::AtDestination => {
                self.drain()?;
                let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
                PreparedXa::read(
                    &mut store,
                    &end.xid,
                    self.settings.transaction_memory_bytes_max,
                )?
            }
        };
        match events {
            TransactionEvents::Memory(arena) => {
                let context = RouteContext {
                    id,
                    outcome: Outcome::Commit,
                    format: &format,
                };
                let mut route = self.router().route(&arena, &context, 0)?;
                route.write_set.add_key(xid_hash(&end.xid));
                self.take_rows(
                    seq,
                    committed_at_us,
                    id,
                    arena,
                    &format,
                    route,
                    Some(step),
                    None,
                )
            }
            TransactionEvents::Spilled(events) => self.apply_large(LargeTransaction {
                seq,
                id: id.clone(),
                outcome: Outcome::Commit,
                committed_at_us,
                events,
                format,
                watermark: self.completion.watermark().clone(),
                xa: LargeXa::Remove(step),
                router: Arc::clone(&self.router),
                routing: None,
            }),
        }
    }

    /// Gives a lane a transaction that does nothing but a step of XA; it keeps its place between
    /// the other steps of the same XA transaction.
    fn take_xa_step(&mut self, transaction: RoutedTransaction) {
        let mut write_set = WriteSet::default();
        if let Some(step) = &transaction.xa {
            write_set.add_key(xid_hash(&step.xid));
        }
        self.waiting = Some(Waiting {
            transaction,
            write_set,
        });
        self.place_waiting();
    }
}
