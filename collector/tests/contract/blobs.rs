//! Blobs on a simulated disk. A put is all or nothing: a staged file, synced, renamed, the directory synced.

use std::fmt;
use std::ops::Range;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use journal::sim::SimDisk;
use journal::{Disk, append_all};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart,
};

/// Object store over one directory; `/` in names becomes `+`.
#[derive(Clone)]
pub(crate) struct SimBlobs {
    disk: SimDisk,
    directory: PathBuf,
    staged: Arc<AtomicU64>,
}

impl SimBlobs {
    /// Opens, and removes what a crash left half written.
    pub(crate) fn open(disk: &SimDisk, directory: &FsPath) -> std::io::Result<Self> {
        journal::create_dir_synced(disk, directory)?;
        for name in disk.list(directory)?.iter().filter(|name| name.ends_with(".staged")) {
            disk.remove(&directory.join(name))?;
        }
        Ok(Self { disk: disk.clone(), directory: directory.to_owned(), staged: Arc::default() })
    }

    fn file(&self, location: &Path) -> PathBuf {
        self.directory.join(location.as_ref().replace('/', "+"))
    }

    fn exists(&self, location: &Path) -> bool {
        self.disk.open(&self.file(location)).is_ok()
    }

    fn put_bytes(&self, location: &Path, bytes: &Bytes) -> Result<()> {
        let number = self.staged.fetch_add(1, Ordering::Relaxed);
        let staged = self.directory.join(format!("{number}.staged"));
        let written =
            self.write(&staged, bytes).and_then(|()| self.disk.rename(&staged, &self.file(location)));
        if let Err(error) = written {
            let _left_for_the_next_open = self.disk.remove(&staged);
            return Err(failed(error));
        }
        self.disk.sync_dir(&self.directory).map_err(failed)
    }

    fn write(&self, staged: &FsPath, bytes: &Bytes) -> std::io::Result<()> {
        let file = self.disk.create(staged)?;
        append_all(&*file, &mut [std::io::IoSlice::new(bytes)])?;
        file.sync_data()
    }

    fn read(&self, location: &Path) -> Result<Bytes> {
        let not_found = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => {
                Error::NotFound { path: location.to_string(), source: source.into() }
            }
            _ => failed(source),
        };
        let file = self.disk.open(&self.file(location)).map_err(not_found)?;
        let mut bytes = vec![0; file.size_bytes().map_err(failed)? as usize];
        let mut at = 0;
        while at < bytes.len() {
            match file.read_at(&mut bytes[at..], at as u64).map_err(failed)? {
                0 => break,
                read => at += read,
            }
        }
        bytes.truncate(at);
        Ok(Bytes::from(bytes))
    }

    fn meta(&self, location: Path, size: u64) -> ObjectMeta {
        // Old enough for any grace, so that sweeping takes everything that it may take.
        ObjectMeta { location, last_modified: Default::default(), size, e_tag: None, version: None }
    }

    fn list_all(&self, prefix: Option<&Path>) -> Vec<Result<ObjectMeta>> {
        let names = match self.disk.list(&self.directory) {
            Ok(names) => names,
            Err(error) => return vec![Err(failed(error))],
        };
        let blobs = names.into_iter().filter(|name| !name.ends_with(".staged"));
        let locations = blobs.map(|name| Path::from(name.replace('+', "/")));
        let within = locations.filter(|location| prefix.is_none_or(|prefix| location.prefix_matches(prefix)));
        within.map(|location| Ok(self.meta(location, 0))).collect()
    }
}

fn failed(source: std::io::Error) -> Error {
    Error::Generic { store: "SimBlobs", source: source.into() }
}

impl fmt::Display for SimBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimBlobs")
    }
}

impl fmt::Debug for SimBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimBlobs")
    }
}

#[async_trait]
impl ObjectStore for SimBlobs {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if options.mode == PutMode::Create && self.exists(location) {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists).into();
            return Err(Error::AlreadyExists { path: location.to_string(), source });
        }
        self.put_bytes(location, &Bytes::from(payload))?;
        Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Parts { blobs: self.clone(), location: location.clone(), bytes: Vec::new() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let bytes = self.read(location)?;
        let size = bytes.len() as u64;
        let range: Range<u64> = match &options.range {
            None => 0..size,
            Some(range) => range
                .as_range(size)
                .map_err(|error| Error::Generic { store: "SimBlobs", source: error.into() })?,
        };
        let part = bytes.slice(range.start as usize..range.end as usize);
        let payload = GetResultPayload::Stream(stream::once(async move { Ok(part) }).boxed());
        let meta = self.meta(location.clone(), size);
        Ok(GetResult {
            payload,
            meta,
            range,
            attributes: Attributes::default(),
            extensions: Default::default(),
        })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let blobs = self.clone();
        let delete = move |location: Path| {
            let removed = blobs.disk.remove(&blobs.file(&location)).map_err(failed).map(|()| location);
            async move { removed }
        };
        locations.and_then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter(self.list_all(prefix)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let objects = self.list_all(prefix).into_iter().collect::<Result<_>>()?;
        Ok(ListResult { common_prefixes: Vec::new(), objects, extensions: Default::default() })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, _: CopyOptions) -> Result<()> {
        let bytes = self.read(from)?;
        self.put_bytes(to, &bytes)
    }
}

/// A blob in parts: nothing is there before it is complete.
#[derive(Debug)]
struct Parts {
    blobs: SimBlobs,
    location: Path,
    bytes: Vec<u8>,
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        self.bytes.extend_from_slice(&Bytes::from(part));
        Box::pin(async { Ok(()) })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.blobs.put_bytes(&self.location, &Bytes::from(std::mem::take(&mut self.bytes)))?;
        Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
    }

    async fn abort(&mut self) -> Result<()> {
        self.bytes.clear();
        Ok(())
    }
}
