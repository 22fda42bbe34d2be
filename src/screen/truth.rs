//! What is known of a condition: that it holds, that it fails, what would be needed to tell, or that the text is open.

use super::transaction::TransactionColumn;

/// Columns that would have to be known, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Needs(u64);

impl Needs {
    /// Nothing.
    pub const NONE: Needs = Needs(0);

    /// One column.
    pub const fn of(column: TransactionColumn) -> Needs {
        Needs(1 << column as u32)
    }

    /// Whether nothing is needed.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Needs) -> Needs {
        Needs(self.0 | other.0)
    }

    /// Names of the columns, in the order of the documentation.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        TransactionColumn::ALL.iter().filter(move |column| self.0 & (1 << **column as u32) != 0).map(|column| column.as_str())
    }
}

impl std::fmt::Debug for Needs {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(" "))
    }
}

/// What a test gives under one reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Truth {
    /// It holds, or it does not.
    Known(bool),
    /// It cannot be told without these.
    Unknown(Needs),
}

impl Truth {
    /// The opposite; what is not known stays so.
    #[must_use]
    pub fn negated(self) -> Truth {
        match self {
            Truth::Known(value) => Truth::Known(!value),
            unknown => unknown,
        }
    }

    /// All of these: one that fails decides, whatever else is not known.
    pub fn all(tests: impl IntoIterator<Item = Truth>) -> Truth {
        let mut needs = Needs::NONE;
        for truth in tests {
            match truth {
                Truth::Known(false) => return truth,
                Truth::Known(true) => {}
                Truth::Unknown(more) => needs = needs.and(more),
            }
        }
        if needs.is_empty() { Truth::Known(true) } else { Truth::Unknown(needs) }
    }

    /// One of these: one that holds decides, whatever else is not known.
    pub fn any(tests: impl IntoIterator<Item = Truth>) -> Truth {
        Truth::all(tests.into_iter().map(Truth::negated)).negated()
    }
}

/// The outcome of a condition over both readings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It cannot be told without these.
    Undetermined(Needs),
    /// The text can be read in two ways; the default reading gives this, the other the opposite.
    Open(bool),
}

impl Verdict {
    /// Of the default reading and, where the text is open, of the other.
    pub fn of(default: Truth, other: Option<Truth>) -> Verdict {
        match (default, other) {
            (Truth::Known(true), None | Some(Truth::Known(true))) => Verdict::Pass,
            (Truth::Known(false), None | Some(Truth::Known(false))) => Verdict::Fail,
            (Truth::Known(value), Some(Truth::Known(_))) => Verdict::Open(value),
            (Truth::Unknown(needs), Some(Truth::Unknown(more))) => Verdict::Undetermined(needs.and(more)),
            (Truth::Unknown(needs), _) | (_, Some(Truth::Unknown(needs))) => Verdict::Undetermined(needs),
        }
    }

    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Undetermined(_) => "undetermined",
            Verdict::Open(_) => "open",
        }
    }
}

/// The answer to a question of law.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It depends on what is not known.
    Undetermined,
    /// It depends on how the text is read.
    Open,
}

impl Status {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Yes => "yes",
            Status::No => "no",
            Status::Undetermined => "undetermined",
            Status::Open => "open",
        }
    }

    /// Whether all conditions of a rule hold: what fails decides, then what is not known, then what is open.
    pub fn all(verdicts: &[Verdict]) -> Status {
        let found = |wanted: fn(&Verdict) -> bool| verdicts.iter().any(wanted);
        if found(|verdict| *verdict == Verdict::Fail) {
            Status::No
        } else if found(|verdict| matches!(verdict, Verdict::Undetermined(_))) {
            Status::Undetermined
        } else if found(|verdict| matches!(verdict, Verdict::Open(_))) {
            Status::Open
        } else {
            Status::Yes
        }
    }

    /// Both of two questions.
    #[must_use]
    pub fn and(self, other: Status) -> Status {
        let pair = [self, other];
        [Status::No, Status::Undetermined, Status::Open].into_iter().find(|status| pair.contains(status)).unwrap_or(Status::Yes)
    }

    /// One of several questions: a yes decides, then what is not known, then what is open.
    pub fn any(statuses: impl IntoIterator<Item = Status>) -> Status {
        let mut any = Status::No;
        for status in statuses {
            any = match (any, status) {
                (_, Status::Yes) | (Status::Yes, _) => return Status::Yes,
                (Status::Undetermined, _) | (_, Status::Undetermined) => Status::Undetermined,
                (Status::Open, _) | (_, Status::Open) => Status::Open,
                (Status::No, Status::No) => Status::No,
            };
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Truth = Truth::Known(true);
    const F: Truth = Truth::Known(false);
    const U: Truth = Truth::Unknown(Needs::of(TransactionColumn::Destination));

    #[test]
    fn what_is_not_known_does_not_matter_where_the_rest_decides() {
        assert_eq!((Truth::all([U, F]), Truth::all([U, T]), Truth::all([])), (F, U, T));
        assert_eq!((Truth::any([U, T]), Truth::any([U, F]), Truth::any([])), (T, U, F));
    }

    #[test]
    fn a_text_is_open_only_where_its_readings_differ() {
        assert_eq!(Verdict::of(T, Some(T)), Verdict::Pass);
        assert_eq!(Verdict::of(T, Some(F)), Verdict::Open(true));
        assert_eq!(Verdict::of(F, Some(T)), Verdict::Open(false));
        assert!(matches!(Verdict::of(T, Some(U)), Verdict::Undetermined(_)));
    }

    #[test]
    fn a_failed_condition_decides_and_the_unknown_goes_before_the_open() {
        let needs = Verdict::Undetermined(Needs::of(TransactionColumn::Eccn));
        assert_eq!(Status::all(&[Verdict::Open(true), needs, Verdict::Fail]), Status::No);
        assert_eq!(Status::all(&[Verdict::Open(true), needs]), Status::Undetermined);
        assert_eq!(Status::all(&[Verdict::Open(true), Verdict::Pass]), Status::Open);
        assert_eq!(Status::any([Status::Open, Status::No]), Status::Open);
        assert_eq!(Status::any([Status::Undetermined, Status::Yes]), Status::Yes);
    }
}
