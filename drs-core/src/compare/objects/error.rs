use crate::{endpoint::Role, error::redacted, object::MappingError, schema::SchemaError};

/// Why the objects could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectsError {
    /// The user asked to stop.
    #[error("the comparison was stopped")]
    Stopped,
    /// A server did not answer.
    #[error("asking the {role} for {doing}: {}", redacted(.source))]
    Query {
        /// Which server.
        role: Role,
        /// What for.
        doing: &'static str,
        /// The cause.
        #[source]
        source: mysql::Error,
    },
    /// The mapping has two entries for one object of the source.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The columns that a rule adds could not be looked at.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}
