//! The arguments of `screen`: a file, or what is known of one transaction, an option for each column.

use clap::Args;
use std::path::PathBuf;

/// `screen`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
        tppledger screen --device \"NVIDIA H100-SXM5\" --quantity 500 --destination MY --consignee-headquarters MY --parent-headquarters CN\n  \
        tppledger screen transactions.csv --format csv --output answers.csv")]
pub struct ScreenArgs {
    /// A file of transactions, a row each: CSV, a workbook (.xlsx), JSON, JSON Lines; `-` is standard input. Otherwise one
    /// transaction from the options.
    #[arg(conflicts_with_all = ["Facts", "explain"])]
    pub file: Option<PathBuf>,
    /// Show every rule and condition.
    #[arg(long)]
    pub explain: bool,
    /// A folder of a regime, `builtin`, or `summary` for a law firm's summary of the rule.
    #[arg(long, value_name = "DIR")]
    pub regime: Option<PathBuf>,
    /// How the file is read.
    #[command(flatten)]
    pub reading: super::ReadingArgs,
    /// What is known of the transaction.
    #[command(flatten)]
    pub facts: Facts,
}

/// What is known of a transaction, by column; docs/screening.md says what each holds.
#[derive(Debug, Args)]
#[command(next_help_heading = "The transaction")]
pub struct Facts {
    /// A name of the row.
    #[arg(long, value_name = "VALUE")]
    pub transaction_id: Option<String>,
    /// The day; today if left out.
    #[arg(long, value_name = "DATE")]
    pub on: Option<String>,
    /// commodity, software, technology, model_weights.
    #[arg(long, value_name = "VALUE")]
    pub item_kind: Option<String>,
    /// A name of the device catalogue.
    #[arg(long, value_name = "VALUE")]
    pub device: Option<String>,
    /// The classification, e.g. 3A090.a.
    #[arg(long, value_name = "VALUE")]
    pub eccn: Option<String>,
    /// TPP of one unit.
    #[arg(long, value_name = "VALUE")]
    pub tpp_per_unit: Option<String>,
    /// TPP by square millimeter of applicable die area.
    #[arg(long, value_name = "VALUE")]
    pub performance_density: Option<String>,
    /// Memory bandwidth of one unit, GB/s.
    #[arg(long, value_name = "VALUE")]
    pub memory_bandwidth_gb_s: Option<String>,
    /// Designed or marketed for data centers: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub datacenter: Option<String>,
    /// Units.
    #[arg(long, value_name = "VALUE")]
    pub quantity: Option<String>,
    /// export, reexport, transfer, deemed_export, iaas_training.
    #[arg(long, value_name = "VALUE")]
    pub activity: Option<String>,
    /// Country of production; the home country if left out.
    #[arg(long, value_name = "VALUE")]
    pub made_in: Option<String>,
    /// Direct product under the foreign-direct-product rules: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub direct_product: Option<String>,
    /// Knowledge of such a destination, party or incorporation: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub knowledge: Option<String>,
    /// Country of ultimate destination.
    #[arg(long, value_name = "VALUE")]
    pub destination: Option<String>,
    /// Identifier of the ultimate consignee in the ledger's parties.
    #[arg(long, value_name = "PARTY")]
    pub consignee: Option<String>,
    /// Identifier of the operator in the ledger's parties, when that is another.
    #[arg(long, value_name = "PARTY")]
    pub operator: Option<String>,
    /// Headquarters of the ultimate consignee.
    #[arg(long, value_name = "VALUE")]
    pub consignee_headquarters: Option<String>,
    /// Headquarters of its ultimate parent.
    #[arg(long, value_name = "VALUE")]
    pub parent_headquarters: Option<String>,
    /// Headquarters of the owner, when that is another.
    #[arg(long, value_name = "VALUE")]
    pub owner_headquarters: Option<String>,
    /// Headquarters of the operator, when that is another.
    #[arg(long, value_name = "VALUE")]
    pub operator_headquarters: Option<String>,
    /// private_sector, government.
    #[arg(long, value_name = "VALUE")]
    pub end_user: Option<String>,
    /// develop, produce, store, train_model, other.
    #[arg(long, value_name = "VALUE")]
    pub end_use: Option<String>,
    /// A use or user that part 744 bars: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub part_744: Option<String>,
    /// Goes to a distributor: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub distributor: Option<String>,
    /// Final customers are outside Macau and D:5: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub customers_elsewhere: Option<String>,
    /// The consignee's certification is at hand: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub certified: Option<String>,
    /// TPP certified as received under LPP in the calendar year.
    #[arg(long, value_name = "VALUE")]
    pub lpp_received_tpp: Option<String>,
    /// TPP received under AIA so far.
    #[arg(long, value_name = "VALUE")]
    pub aia_received_tpp: Option<String>,
    /// The facility meets the security paragraphs: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub facility_secured: Option<String>,
    /// Authorization of the consignee: none, universal, national.
    #[arg(long, value_name = "VALUE")]
    pub veu: Option<String>,
    /// Operations of a model's training, e.g. 1e26.
    #[arg(long, value_name = "VALUE")]
    pub training_operations: Option<String>,
    /// Weights of a model: closed, open.
    #[arg(long, value_name = "VALUE")]
    pub weights: Option<String>,
    /// Operations of further training.
    #[arg(long, value_name = "VALUE")]
    pub derived_operations: Option<String>,
    /// The notice for NAC was given and its days have passed: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub notified: Option<String>,
    /// Percent of shipments that went to China and Macau.
    #[arg(long, value_name = "VALUE")]
    pub approved_share: Option<String>,
    /// Tested by a third party at home: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub tested: Option<String>,
    /// The exporter knows its customer as 91 FR 1684 asks: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub customer_known: Option<String>,
    /// Made elsewhere with controlled home content above what is de minimis: yes, no.
    #[arg(long, value_name = "VALUE")]
    pub home_content: Option<String>,
}

impl Facts {
    /// The columns that were given, with their cells.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("transaction_id", &self.transaction_id),
            ("on", &self.on),
            ("item_kind", &self.item_kind),
            ("device", &self.device),
            ("eccn", &self.eccn),
            ("tpp_per_unit", &self.tpp_per_unit),
            ("performance_density", &self.performance_density),
            ("memory_bandwidth_gb_s", &self.memory_bandwidth_gb_s),
            ("datacenter", &self.datacenter),
            ("quantity", &self.quantity),
            ("activity", &self.activity),
            ("made_in", &self.made_in),
            ("direct_product", &self.direct_product),
            ("knowledge", &self.knowledge),
            ("destination", &self.destination),
            ("consignee", &self.consignee),
            ("operator", &self.operator),
            ("consignee_headquarters", &self.consignee_headquarters),
            ("parent_headquarters", &self.parent_headquarters),
            ("owner_headquarters", &self.owner_headquarters),
            ("operator_headquarters", &self.operator_headquarters),
            ("end_user", &self.end_user),
            ("end_use", &self.end_use),
            ("part_744", &self.part_744),
            ("distributor", &self.distributor),
            ("customers_elsewhere", &self.customers_elsewhere),
            ("certified", &self.certified),
            ("lpp_received_tpp", &self.lpp_received_tpp),
            ("aia_received_tpp", &self.aia_received_tpp),
            ("facility_secured", &self.facility_secured),
            ("veu", &self.veu),
            ("training_operations", &self.training_operations),
            ("weights", &self.weights),
            ("derived_operations", &self.derived_operations),
            ("notified", &self.notified),
            ("approved_share", &self.approved_share),
            ("tested", &self.tested),
            ("customer_known", &self.customer_known),
            ("home_content", &self.home_content),
        ]
        .into_iter()
        .filter_map(|(name, cell)| cell.as_deref().map(|cell| (name, cell)))
    }
}
