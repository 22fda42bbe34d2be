//! The archive that a workbook is: its parts, unpacked within bounds, and the sheets that it has.
//!
//! What a file says of its own size is not believed: what is unpacked is counted. Invariant: no more than [`UNPACKED_MAX`]
//! bytes are ever unpacked of one workbook.

use super::Sheet;
use quick_xml::events::{BytesStart, Event};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use zip::ZipArchive;

/// What is wrong with a workbook as a whole, in a sentence and a hint.
pub(super) type Broken = (String, String);

/// Bytes that the parts of a workbook which are read may have in all: some 400,000 rows of applications. A larger table
/// is better kept as CSV, and a smaller file that unpacks to more is not meant to be read.
pub(super) const UNPACKED_MAX: u64 = 256 << 20;
/// What the list of sheets and the formats may have of it.
const SMALL_MAX: u64 = 16 << 20;

/// A workbook's archive.
pub(super) struct Package {
    zip: ZipArchive<File>,
    /// Bytes that may still be unpacked.
    left: u64,
    /// Bytes of the file.
    pub size: u64,
    /// Its sheets in their order.
    pub sheets: Vec<Sheet>,
    /// Whether day 0 is 1904-01-01.
    pub from_1904: bool,
    /// Paths of the shared texts and the formats.
    pub strings: Option<String>,
    pub styles: Option<String>,
}

/// A part that cannot be read.
pub(super) fn damaged(reason: impl std::fmt::Display) -> Broken {
    (
        format!("cannot be read as a workbook: {reason}"),
        "open it in the spreadsheet program, save it again, or save the sheet as `CSV UTF-8`".into(),
    )
}

impl Package {
    pub(super) fn open(input: File) -> Result<Package, Broken> {
        let size = input.metadata().map(|metadata| metadata.len()).unwrap_or_default();
        let zip = ZipArchive::new(input).map_err(damaged)?;
        let mut package =
            Package { zip, left: UNPACKED_MAX, size, sheets: Vec::new(), from_1904: false, strings: None, styles: None };
        let Some(root) = package.root()? else { return Err(package.no_workbook()) };
        let relations = package.relations(&root)?;
        let target =
            |kind: &str| relations.iter().find(|relation| relation.kind.ends_with(kind)).map(|relation| relation.target.clone());
        (package.strings, package.styles) = (target("/sharedStrings"), target("/styles"));
        let text = package.small(&root)?;
        let (mut sheets, mut from_1904) = (Vec::new(), false);
        elements(&text[..], |element| {
            match element.local_name().as_ref() {
                "sheet" => {
                    let id = attribute(element, "id")?.unwrap_or_default();
                    let path = relations.iter().find(|relation| relation.id == id && relation.kind.ends_with("/worksheet"));
                    let hidden = attribute(element, "state")?.is_some_and(|state| state != "visible");
                    let name = attribute(element, "name")?.unwrap_or_default();
                    // A sheet of another kind, such as a chart, has no cells.
                    sheets.extend(path.map(|relation| Sheet { name, path: relation.target.clone(), hidden }));
                }
                "workbookPr" => from_1904 = attribute(element, "date1904")?.is_some_and(|value| is_true(&value)),
                _ => {}
            }
            Ok(())
        })?;
        (package.sheets, package.from_1904) = (sheets, from_1904);
        Ok(package)
    }

    /// Path of the workbook's own part.
    fn root(&mut self) -> Result<Option<String>, Broken> {
        let relations = self.relations("")?;
        let root = relations.into_iter().find(|relation| relation.kind.ends_with("/officeDocument"));
        Ok(root.map(|relation| relation.target).filter(|path| path.to_lowercase().ends_with("workbook.xml")))
    }

    /// What another packed file is.
    fn no_workbook(&mut self) -> Broken {
        let mut has = |name: &str| self.zip.by_name(name).is_ok();
        let what = if has("xl/workbook.bin") {
            "is a binary workbook (.xlsb)"
        } else if has("mimetype") {
            "is an OpenDocument file (.ods)"
        } else {
            "is a packed file, and no workbook"
        };
        (what.into(), "save it as an Excel workbook (.xlsx), or the sheet as `CSV UTF-8`".into())
    }

    /// A part, unpacked into a temporary file that stands at its beginning.
    pub(super) fn unpacked(&mut self, path: &str) -> Result<File, Broken> {
        let mut part = self.zip.by_name(path).map_err(|error| damaged(format!("{path}: {error}")))?;
        let mut file = tempfile::tempfile().map_err(damaged)?;
        let count = io::copy(&mut part.by_ref().take(self.left + 1), &mut file).map_err(damaged)?;
        self.left = self.left.checked_sub(count).ok_or_else(too_large)?;
        file.rewind().map_err(damaged)?;
        Ok(file)
    }

    /// A small part, in memory.
    pub(super) fn small(&mut self, path: &str) -> Result<Vec<u8>, Broken> {
        let part = self.zip.by_name(path).map_err(|error| damaged(format!("{path}: {error}")))?;
        let mut text = Vec::new();
        part.take(SMALL_MAX + 1).read_to_end(&mut text).map_err(damaged)?;
        if text.len() as u64 > SMALL_MAX {
            return Err(too_large());
        }
        self.left = self.left.checked_sub(text.len() as u64).ok_or_else(too_large)?;
        Ok(text)
    }

    /// What a part refers to; the paths are those of the archive. A part without relations has none.
    fn relations(&mut self, path: &str) -> Result<Vec<Relation>, Broken> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let list = format!("{folder}_rels/{name}.rels");
        if self.zip.index_for_name(&list).is_none() {
            return Ok(Vec::new());
        }
        let (text, mut relations) = (self.small(&list)?, Vec::new());
        elements(&text[..], |element| {
            if element.local_name().as_ref() == "Relationship" {
                let get = |name| attribute(element, name).map(Option::unwrap_or_default);
                let target = get("Target")?;
                let target = target.strip_prefix('/').map_or_else(|| format!("{folder}{target}"), String::from);
                relations.push(Relation { id: get("Id")?, kind: get("Type")?, target });
            }
            Ok(())
        })?;
        Ok(relations)
    }
}

/// What a part refers to.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

fn too_large() -> Broken {
    let mebibytes = UNPACKED_MAX >> 20;
    (format!("unpacks to more than {mebibytes} MiB"), "save the sheet as `CSV UTF-8`: a CSV file may be of any size".into())
}

/// A reader of XML in which `<a/>` is `<a></a>`.
pub(super) fn xml<R: Read>(input: R) -> quick_xml::Reader<BufReader<R>> {
    let mut xml = quick_xml::Reader::from_reader(BufReader::with_capacity(1 << 16, input));
    let config = xml.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    xml
}

/// Looks at every element of a part.
pub(super) fn elements(input: impl BufRead, mut look: impl FnMut(&BytesStart) -> Result<(), Broken>) -> Result<(), Broken> {
    let (mut xml, mut buffer) = (xml(input), Vec::new());
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(damaged)? {
            Event::Start(element) => look(&element)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The value of an attribute, whatever its prefix.
pub(super) fn attribute(element: &BytesStart, name: &str) -> Result<Option<String>, Broken> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(damaged)?;
        if attribute.key.local_name().as_ref() == name {
            let value = quick_xml::escape::unescape(&attribute.value).map_err(damaged)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// Whether an attribute says yes.
pub(super) fn is_true(value: &str) -> bool {
    matches!(value, "1" | "true" | "on")
}
