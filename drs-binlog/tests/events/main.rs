//! Events as real servers log and send them.

mod dump;
mod files;
mod mysqlbinlog;
mod workload;

use std::{path::PathBuf, sync::OnceLock};

use drs_testkit::{Installation, Server, Version};

/// A server on which everything has been written once, and its complete files.
pub(crate) struct Scene {
    pub(crate) version: Version,
    pub(crate) gtid: bool,
    pub(crate) server: Server,
    pub(crate) files: Vec<PathBuf>,
}

impl Scene {
    fn new(version: Version, gtid: bool) -> Self {
        let installation =
            Installation::find_or_fetch(version).unwrap_or_else(|error| panic!("{error}"));
        let server = Server::builder(&installation)
            .gtid(gtid && version != Version::MariaDb1011)
            .option("--secure-file-priv=")
            .start()
            .unwrap_or_else(|error| panic!("{error}"));
        // A clean stop ends the first file with STOP.
        server.stop().unwrap();
        server.restart().unwrap();
        let files = workload::run(&server, "everything", gtid);
        Self {
            version,
            gtid,
            server,
            files,
        }
    }
}

/// One scene for each kind of source, shared by all tests of the run.
pub(crate) fn scenes() -> impl Iterator<Item = &'static Scene> {
    static SCENES: [OnceLock<Scene>; 5] = [const { OnceLock::new() }; 5];
    const KINDS: [(Version, bool); 5] = [
        (Version::MySql97, true),
        (Version::MySql97, false),
        (Version::MySql56, true),
        (Version::MySql56, false),
        (Version::MariaDb1011, false),
    ];
    SCENES
        .iter()
        .zip(KINDS)
        .map(|(scene, (version, gtid))| scene.get_or_init(|| Scene::new(version, gtid)))
}
