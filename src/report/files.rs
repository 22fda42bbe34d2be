//! Files in their place: written beside and renamed, whole or not at all.
//!
//! A file is written under a temporary name in its own folder, forced to the disk and renamed; a pack is built in a
//! folder beside its own and put in place in one step. Nothing that the program did not write is replaced without
//! being asked, and no name leads out of a folder. Invariant: after an error nothing half-written stands under the
//! final name, and no temporary file remains unless the process was killed.

#![allow(clippy::disallowed_methods, reason = "the edge: reports are written here")]

use super::error::WriteError;
use super::package::{FILE_NAME, OWN_MEMBER};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile, TempDir};

/// What a file or pack is filled through. It remembers that the disk failed, so that the error names the file.
pub struct FileSink {
    out: BufWriter<File>,
    failed: Option<io::Error>,
}

impl FileSink {
    fn new(file: File) -> Self {
        FileSink { out: BufWriter::with_capacity(64 * 1024, file), failed: None }
    }

    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed = Some(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error));
        }
        result
    }

    /// Forces everything to the disk.
    fn settle(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_all()
    }
}

impl Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.noted(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.noted(result)
    }
}

/// Fills an open file and forces it to the disk; an error of the disk gets the path people know.
fn fill_file<T, E: From<WriteError>>(file: File, path: &Path, fill: impl FnOnce(&mut FileSink) -> Result<T, E>) -> Result<T, E> {
    let mut sink = FileSink::new(file);
    let filled = fill(&mut sink);
    if let Some(error) = sink.failed.take() {
        return Err(WriteError::system(path, "written", error).into());
    }
    let value = filled?;
    sink.settle().map_err(|error| WriteError::system(path, "written", error))?;
    Ok(value)
}

/// Writes a file beside its place and renames it. An existing file is an error unless `force`; a folder, a device or
/// a symbolic link always is, because renaming would replace it by a file.
///
/// # Errors
/// [`WriteError`], or whatever `fill` returns; then nothing of the new file is left, and an old one is untouched.
pub fn write_file<T, E: From<WriteError>>(
    path: &Path,
    force: bool,
    fill: impl FnOnce(&mut FileSink) -> Result<T, E>,
) -> Result<T, E> {
    let exists = check_place(path, force)?;
    let folder = folder_of(path);
    let name = path.file_name().ok_or_else(|| WriteError::NotAFile { path: path.to_owned(), what: "a folder" })?;
    let system = |error| WriteError::system(path, "written", error);
    let mut builder = Builder::new();
    let prefix = format!(".{}.", name.to_string_lossy());
    builder.prefix(&prefix).suffix(".partial");
    usual_permissions(&mut builder, 0o666);
    let temporary = builder.tempfile_in(folder).map_err(system)?;
    if exists {
        // Who could read the old file can read the new one.
        let permissions = fs::metadata(path).and_then(|old| temporary.as_file().set_permissions(old.permissions()));
        permissions.map_err(system)?;
    }
    let file = temporary.as_file().try_clone().map_err(system)?;
    let value = fill_file(file, path, fill)?;
    rename_file(temporary, path, force)?;
    settle_folder(folder);
    Ok(value)
}

/// Whether a file is there; an error if it may not be replaced.
fn check_place(path: &Path, force: bool) -> Result<bool, WriteError> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(WriteError::system(path, "written", error)),
    };
    let what = if there.is_dir() {
        "a folder"
    } else if there.is_symlink() {
        "a symbolic link"
    } else if !there.is_file() {
        "a device or a pipe"
    } else if force {
        return Ok(true);
    } else {
        return Err(WriteError::Exists { path: path.to_owned() });
    };
    Err(WriteError::NotAFile { path: path.to_owned(), what })
}

fn rename_file(temporary: NamedTempFile, path: &Path, force: bool) -> Result<(), WriteError> {
    let temporary = if force {
        temporary
    } else {
        match temporary.persist_noclobber(path) {
            Ok(_) => return Ok(()),
            // Another process was faster.
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(WriteError::Exists { path: path.to_owned() });
            }
            // Some file systems cannot rename without replacing; the file was not there a moment ago.
            Err(error) => error.file,
        }
    };
    temporary.persist(path).map(drop).map_err(|error| WriteError::system(path, "put in place", error.error))
}

/// The folder in which a path stands; a bare name stands in the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A temporary file is private by default; a report is for everyone whom the user's umask lets in.
#[cfg(unix)]
fn usual_permissions(builder: &mut Builder<'_, '_>, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(mode));
}

#[cfg(not(unix))]
fn usual_permissions(_builder: &mut Builder<'_, '_>, _mode: u32) {}

/// Forces the names in a folder to the disk. Not every system can; the files themselves are safe already.
fn settle_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// A pack under construction. It is dropped without a trace unless [`PackFolder::put_in_place`] is called.
pub struct PackFolder {
    target: PathBuf,
    building: TempDir,
    names: BTreeSet<String>,
}

impl PackFolder {
    /// Begins a pack that will stand at `target`: a place where nothing is, an empty folder, or a folder that holds
    /// nothing but an earlier pack of the program, which is then replaced whole.
    ///
    /// # Errors
    /// [`WriteError`] when something else is there or the folder above cannot be written.
    pub fn create(target: &Path) -> Result<Self, WriteError> {
        let system = |error| WriteError::system(target, "made", error);
        let target = match fs::metadata(target) {
            Ok(there) if !there.is_dir() => return Err(WriteError::NotAFile { path: target.to_owned(), what: "not a folder" }),
            Ok(_) => fs::canonicalize(target).map_err(system)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => target.to_owned(),
            Err(error) => return Err(system(error)),
        };
        check_folder(&target)?;
        let name = target.file_name().ok_or_else(|| WriteError::BadName { path: target.clone() })?.to_string_lossy();
        let above = folder_of(&target);
        fs::create_dir_all(above).map_err(system)?;
        let mut builder = Builder::new();
        let prefix = format!(".{name}.");
        builder.prefix(&prefix).suffix(".partial");
        usual_permissions(&mut builder, 0o777);
        let building = builder.tempdir_in(above).map_err(system)?;
        Ok(PackFolder { target, building, names: BTreeSet::new() })
    }

    /// Writes one file of the pack.
    ///
    /// # Errors
    /// [`WriteError`], or whatever `fill` returns. The pack is of no use then; drop it.
    pub fn write<T, E: From<WriteError>>(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut FileSink) -> Result<T, E>,
    ) -> Result<T, E> {
        let path = self.target.join(name);
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':', '\0']) {
            return Err(WriteError::BadName { path: name.into() }.into());
        }
        let file =
            File::create_new(self.building.path().join(name)).map_err(|error| WriteError::system(&path, "written", error))?;
        let value = fill_file(file, &path, fill)?;
        self.names.insert(name.to_owned());
        Ok(value)
    }

    /// Writes one file of the pack whose bytes are known.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.write(name, |sink| sink.write_all(bytes).map_err(WriteError::from))
    }

    /// Puts the pack in place of what is there and says where it stands. The old pack is moved aside first and is put
    /// back if the new one cannot take its place; for that moment there is no pack.
    ///
    /// # Errors
    /// [`WriteError`]; the old pack then stands as before.
    ///
    /// # Panics
    /// When the pack holds a file that its `datapackage.json` does not list: the program could not replace it later.
    pub fn put_in_place(self) -> Result<PathBuf, WriteError> {
        let PackFolder { target, building, names } = self;
        let listed = own_files(building.path());
        assert_eq!(listed.as_ref(), Some(&names), "pack_lists_every_file");
        settle_folder(building.path());
        // Asked again: somebody may have put a file there in the meantime.
        let there = check_folder(&target)?;
        let system = |error| WriteError::system(&target, "put in place", error);
        let above = folder_of(&target);
        let mut aside = None;
        if there {
            let folder = Builder::new().prefix(".old.").tempdir_in(above).map_err(system)?;
            fs::rename(&target, folder.path().join("pack")).map_err(system)?;
            aside = Some(folder);
        }
        if let Err(error) = fs::rename(building.path(), &target) {
            if let Some(folder) = aside {
                let back = fs::rename(folder.path().join("pack"), &target);
                if back.is_err() {
                    // Rather an untidy folder than a lost pack.
                    let _ = folder.keep();
                }
            }
            return Err(system(error));
        }
        // The folder has another name now; there is nothing left to remove under the old one.
        let _ = building.keep();
        settle_folder(above);
        Ok(target)
    }
}

/// Whether a folder is there; an error if it holds anything but a pack of the program.
fn check_folder(target: &Path) -> Result<bool, WriteError> {
    let system = |error| WriteError::system(target, "read", error);
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(system(error)),
    };
    let own = own_files(target).unwrap_or_default();
    let mut foreign: Vec<String> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(system)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().map_err(system)?.is_file();
        if !(is_file && (own.contains(&name) || is_trace(&name))) {
            foreign.push(name);
        }
    }
    match foreign.into_iter().min() {
        Some(found) => Err(WriteError::ForeignFolder { path: target.to_owned(), found }),
        None => Ok(true),
    }
}

/// What file managers and spreadsheets leave in a folder that was only looked at.
fn is_trace(name: &str) -> bool {
    matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini") || name.starts_with("~$") || name.starts_with(".~lock.")
}

/// The files of a pack that the program wrote, by its `datapackage.json`; `None` when it is no such folder.
fn own_files(folder: &Path) -> Option<BTreeSet<String>> {
    let package: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(FILE_NAME)).ok()?).ok()?;
    package.get(OWN_MEMBER)?.as_object()?;
    let resources = package.get("resources")?.as_array()?;
    let paths = resources.iter().filter_map(|resource| resource.get("path")?.as_str());
    Some(paths.chain([FILE_NAME]).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn write(path: &Path, force: bool, text: &str) -> Result<(), WriteError> {
        write_file(path, force, |sink| sink.write_all(text.as_bytes()).map_err(WriteError::from))
    }

    /// A pack of one table and its description.
    fn pack(target: &Path, table: &str, text: &str) -> Result<PathBuf, WriteError> {
        let mut pack = PackFolder::create(target)?;
        pack.write_bytes(table, text.as_bytes())?;
        let package = serde_json::json!({ OWN_MEMBER: {}, "resources": [{ "path": table }] });
        pack.write_bytes(FILE_NAME, package.to_string().as_bytes())?;
        pack.put_in_place()
    }

    #[test]
    fn a_file_is_replaced_only_when_asked() {
        let folder = folder();
        let path = folder.path().join("headroom.csv");
        write(&path, false, "one").unwrap();
        let error = write(&path, false, "two").unwrap_err();
        assert!(
            error.to_string().ends_with("headroom.csv: the file exists\nhint: --force replaces it; or name another file"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write(&path, true, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(names(folder.path()), ["headroom.csv"]);
    }

    #[test]
    fn an_error_half_way_leaves_nothing_and_the_old_file_untouched() {
        let folder = folder();
        let path = folder.path().join("headroom.csv");
        write(&path, false, "old").unwrap();
        let result: Result<(), WriteError> = write_file(&path, true, |sink| {
            sink.write_all(b"half")?;
            Err(WriteError::BadName { path: "the ledger could not be read".into() })
        });
        assert!(matches!(result, Err(WriteError::BadName { .. })), "the error of the one who fills is handed on");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["headroom.csv"]);
    }

    #[test]
    fn a_folder_and_a_missing_folder_are_told_apart() {
        let folder = folder();
        let error = write(folder.path(), true, "x").unwrap_err();
        assert!(error.to_string().contains(": is a folder\n"), "{error}");
        let error = write(&folder.path().join("no/such/file.csv"), false, "x").unwrap_err();
        assert_eq!(error.hint(), "create the folder first, or check its name");
        assert!(!error.to_string().contains(".partial"), "no name of a temporary file: {error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named_with_the_file_whoever_asked_for_the_bytes() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = fill_file(full, Path::new("out/applications.csv"), |sink| {
            let large = vec![b'x'; 200_000];
            sink.write_all(&large)?;
            Ok::<(), WriteError>(())
        })
        .unwrap_err();
        assert!(
            error.to_string().starts_with("out/applications.csv: could not be written: no space is left on the disk"),
            "{error}"
        );
        assert!(error.hint().starts_with("make room"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_or_a_device_is_never_replaced() {
        let folder = folder();
        let (real, link) = (folder.path().join("real.csv"), folder.path().join("link.csv"));
        write(&real, false, "real").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(write(&link, true, "x").unwrap_err().to_string().contains("is a symbolic link"));
        assert!(write(Path::new("/dev/null"), true, "x").unwrap_err().to_string().contains("is a device or a pipe"));
        assert_eq!(fs::read_to_string(&real).unwrap(), "real");
    }

    #[cfg(unix)]
    #[test]
    fn a_report_is_for_whom_the_umask_lets_in_and_a_replaced_one_for_whom_it_was() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.path().join("headroom.csv");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        File::create(folder.path().join("usual")).unwrap();
        write(&path, false, "x").unwrap();
        assert_eq!(mode(&path), mode(&folder.path().join("usual")));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, true, "y").unwrap();
        assert_eq!(mode(&path), 0o640);
    }

    #[test]
    fn a_pack_of_the_program_is_replaced_whole() {
        let folder = folder();
        let target = folder.path().join("reports/2026-Q2");
        pack(&target, "old.csv", "1").unwrap();
        fs::write(target.join(".DS_Store"), "left by a file manager").unwrap();
        pack(&target, "new.csv", "2").unwrap();
        assert_eq!(names(&target), [FILE_NAME, "new.csv"]);
        assert_eq!(names(&folder.path().join("reports")), ["2026-Q2"], "nothing is left beside it");
    }

    #[test]
    fn a_folder_with_anything_else_in_it_is_left_alone() {
        let folder = folder();
        let target = folder.path().join("2026-Q2");
        fs::create_dir(&target).unwrap();
        pack(&target, "headroom.csv", "an empty folder may be used").unwrap();
        fs::write(target.join("notes.txt"), "by hand").unwrap();
        let error = pack(&target, "headroom.csv", "2").unwrap_err();
        assert!(error.to_string().contains("the folder holds notes.txt, which is not of a report of tppledger"), "{error}");
        fs::write(folder.path().join(FILE_NAME), r#"{"name": "of another program", "resources": []}"#).unwrap();
        assert!(matches!(pack(folder.path(), "headroom.csv", "3"), Err(WriteError::ForeignFolder { .. })));
        fs::write(folder.path().join("a.csv"), "").unwrap();
        assert!(matches!(pack(&folder.path().join("a.csv"), "x.csv", "4"), Err(WriteError::NotAFile { .. })));
    }

    #[test]
    fn a_pack_that_is_given_up_leaves_nothing() {
        let folder = folder();
        let mut pack = PackFolder::create(&folder.path().join("2026-Q2")).unwrap();
        pack.write_bytes("headroom.csv", b"half").unwrap();
        drop(pack);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = folder();
        let mut pack = PackFolder::create(&folder.path().join("2026-Q2")).unwrap();
        for name in ["", "..", ".hidden", "../a.csv", "/a.csv", "sub/a.csv", "sub\\a.csv", "C:a.csv"] {
            assert!(matches!(pack.write_bytes(name, b""), Err(WriteError::BadName { .. })), "{name:?}");
        }
    }

    #[test]
    #[should_panic(expected = "pack_lists_every_file")]
    fn a_file_that_the_pack_does_not_list_is_a_mistake_of_ours() {
        let folder = folder();
        let mut pack = PackFolder::create(&folder.path().join("2026-Q2")).unwrap();
        pack.write_bytes("headroom.csv", b"").unwrap();
        let _ = pack.put_in_place();
    }
}
