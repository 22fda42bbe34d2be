//! The answer: a transaction held against the rulebook.

use super::rules::{Rule, Rulebook};
use super::transaction::Transaction;
use super::truth::{Needs, Status, Verdict};

/// A rule with the outcome of each of its conditions.
#[derive(Clone, Debug)]
pub struct RuleAnswer<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// Whether it holds.
    pub status: Status,
    /// In the order of its conditions.
    pub verdicts: Vec<Verdict>,
}

impl<'r> RuleAnswer<'r> {
    fn of(rule: &'r Rule, transaction: &Transaction) -> Self {
        let verdicts: Vec<Verdict> = rule.conditions.iter().map(|condition| condition.verdict(transaction)).collect();
        RuleAnswer { rule, status: Status::all(&verdicts), verdicts }
    }

    /// Ids of the conditions that keep it from holding: those that fail; without any, those that cannot be told; without
    /// any, those that are open.
    pub fn because(&self) -> impl Iterator<Item = &'r str> {
        let wanted = self.status;
        let conditions = self.rule.conditions.iter().zip(self.verdicts.clone());
        conditions
            .filter(move |(_, verdict)| Status::all(&[*verdict]) == wanted && wanted != Status::Yes)
            .map(|(c, _)| c.id.as_str())
    }

    /// What would have to be known to tell.
    pub fn needs(&self) -> Needs {
        self.verdicts.iter().fold(Needs::NONE, |needs, verdict| match verdict {
            Verdict::Undetermined(more) => needs.and(*more),
            _ => needs,
        })
    }
}

/// How an application would be reviewed.
#[derive(Clone, Debug)]
pub struct Review<'r> {
    /// Yes when one policy is certain.
    pub status: Status,
    /// The policies that may apply, the default reading's first.
    pub policies: Vec<RuleAnswer<'r>>,
}

/// Everything that screening says of a transaction.
#[derive(Clone, Debug)]
pub struct Answer<'r> {
    /// What is announced as enforced.
    pub enforcement: Vec<RuleAnswer<'r>>,
    /// Whether the rule reaches the item.
    pub subject: Status,
    /// The grounds on which it does, or may.
    pub subject_by: Vec<RuleAnswer<'r>>,
    /// Whether a license is required.
    pub license_required: Status,
    /// The paragraphs that require it, or may.
    pub required_by: Vec<RuleAnswer<'r>>,
    /// Each exception and authorization, whether or not a license is required.
    pub exceptions: Vec<RuleAnswer<'r>>,
    /// How an application would be reviewed; `None` when no license is required.
    pub review: Option<Review<'r>>,
    /// What to file and keep.
    pub filings: Vec<RuleAnswer<'r>>,
    /// What to clear up first.
    pub red_flags: Vec<RuleAnswer<'r>>,
}

impl Answer<'_> {
    /// Whether an exception of this code is available, over all its rules.
    pub fn available(&self, code: &str) -> Status {
        Status::any(self.exceptions.iter().filter(|answer| answer.rule.code == code).map(|answer| answer.status))
    }

    /// Whether any exception serves.
    pub fn is_excepted(&self) -> Status {
        Status::any(self.exceptions.iter().map(|answer| answer.status))
    }
}

/// Holds a transaction against the rules.
pub fn screen<'r>(transaction: &Transaction, book: &'r Rulebook) -> Answer<'r> {
    let all = |rules: &'r [Rule]| -> Vec<RuleAnswer<'r>> { rules.iter().map(|rule| RuleAnswer::of(rule, transaction)).collect() };
    let may_hold = |rules: &'r [Rule]| -> Vec<RuleAnswer<'r>> {
        all(rules).into_iter().filter(|answer| answer.status != Status::No).collect()
    };
    let subject_by = may_hold(&book.subject);
    let subject = Status::any(subject_by.iter().map(|answer| answer.status));
    let mut required_by = may_hold(&book.requirement);
    let license_required = subject.and(Status::any(required_by.iter().map(|answer| answer.status)));
    if license_required == Status::No {
        required_by.clear();
    }
    let exceptions = all(&book.exception);
    let mut answer = Answer {
        enforcement: may_hold(&book.enforcement),
        subject,
        subject_by,
        license_required,
        required_by,
        exceptions,
        review: (license_required != Status::No).then(|| review(transaction, book)),
        filings: Vec::new(),
        red_flags: may_hold(&book.red_flag),
    };
    // A filing is sure only where what it goes with is.
    let with = |rule: &Rule| {
        let each = rule.goes_with.iter().map(|code| match code.as_str() {
            "license" if answer.is_excepted() == Status::Yes => Status::No,
            "license" => Status::Yes,
            code => answer.available(code),
        });
        answer.license_required.and(Status::any(each))
    };
    let filed = |rule: &'r Rule| {
        let filing = RuleAnswer::of(rule, transaction);
        RuleAnswer { status: filing.status.and(with(rule)), ..filing }
    };
    let filings: Vec<RuleAnswer> = book.filing.iter().map(filed).filter(|filing| filing.status != Status::No).collect();
    answer.filings = filings;
    answer
}

/// The first policy that holds decides; those before it that cannot be told, or are open, may decide instead.
fn review<'r>(transaction: &Transaction, book: &'r Rulebook) -> Review<'r> {
    let mut policies = Vec::new();
    for rule in &book.policy {
        let answer = RuleAnswer::of(rule, transaction);
        let status = answer.status;
        if status == Status::No {
            continue;
        }
        policies.push(answer);
        if status == Status::Yes {
            break;
        }
    }
    let first = policies.first().map(|answer| answer.rule.code.clone());
    let is_one = policies.iter().all(|answer| Some(&answer.rule.code) == first.as_ref());
    let ends = policies.last().is_some_and(|answer| answer.status == Status::Yes);
    let status = if policies.is_empty() {
        Status::No
    } else if is_one && ends {
        Status::Yes
    } else {
        Status::any(policies.iter().map(|answer| answer.status).filter(|status| *status != Status::Yes))
    };
    // An open condition whose default reading fails does not decide by default: what follows goes first.
    policies.sort_by_key(|answer| answer.verdicts.contains(&Verdict::Open(false)));
    Review { status, policies }
}
