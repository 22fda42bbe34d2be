//! A transaction as far as it is known. `docs/screening.md` says what each column holds.

use crate::quota::codes::{Country, Eccn};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum $name { $($(#[$inner])* $variant,)+ }
        impl $name {
            /// All, in the order of the documentation.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// The word in files and options.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }
    };
}

words! {
    /// Columns of a transaction.
    TransactionColumn {
        /// A name of the row.
        TransactionId = "transaction_id",
        /// The day.
        On = "on",
        /// What kind of item.
        ItemKind = "item_kind",
        /// A name of the device catalogue.
        Device = "device",
        /// The classification.
        Eccn = "eccn",
        /// TPP of one unit.
        TppPerUnit = "tpp_per_unit",
        /// TPP by square millimeter.
        PerformanceDensity = "performance_density",
        /// GB/s of one unit.
        MemoryBandwidth = "memory_bandwidth_gb_s",
        /// Designed or marketed for data centers.
        Datacenter = "datacenter",
        /// Units.
        Quantity = "quantity",
        /// What is done.
        Activity = "activity",
        /// Country of production.
        MadeIn = "made_in",
        /// Direct product of named technology or plants.
        DirectProduct = "direct_product",
        /// Knowledge of destination or incorporation.
        Knowledge = "knowledge",
        /// Country of ultimate destination.
        Destination = "destination",
        /// Party of the ledger that receives and owns it.
        Consignee = "consignee",
        /// Party of the ledger that operates it, when that is another.
        Operator = "operator",
        /// Headquarters of the ultimate consignee.
        ConsigneeHeadquarters = "consignee_headquarters",
        /// Headquarters of its ultimate parent.
        ParentHeadquarters = "parent_headquarters",
        /// Headquarters of the owner of the items.
        OwnerHeadquarters = "owner_headquarters",
        /// Headquarters of the operator of the facility.
        OperatorHeadquarters = "operator_headquarters",
        /// What kind of end user.
        EndUser = "end_user",
        /// What it is used for.
        EndUse = "end_use",
        /// A use or user that part 744 bars.
        Part744 = "part_744",
        /// Goes to a distributor.
        Distributor = "distributor",
        /// Final customers are outside Macau and D:5.
        CustomersElsewhere = "customers_elsewhere",
        /// The certification is at hand.
        Certified = "certified",
        /// Received under LPP in the calendar year.
        LppReceivedTpp = "lpp_received_tpp",
        /// Received under AIA so far.
        AiaReceivedTpp = "aia_received_tpp",
        /// The facility meets the security paragraphs.
        FacilitySecured = "facility_secured",
        /// Authorization of the consignee.
        Veu = "veu",
        /// Operations of a model's training.
        TrainingOperations = "training_operations",
        /// Whether a model's weights are published.
        Weights = "weights",
        /// Operations of further training.
        DerivedOperations = "derived_operations",
        /// The notice for NAC was given.
        Notified = "notified",
        /// Share of shipments that went to China and Macau.
        ApprovedShare = "approved_share",
        /// Tested by a third party at home.
        Tested = "tested",
        /// The exporter knows its customer.
        CustomerKnown = "customer_known",
        /// Controlled content of the home country above what is de minimis.
        HomeContent = "home_content",
    }
}

words! {
    /// What is shipped.
    ItemKind {
        /// A thing.
        Commodity = "commodity",
        /// Software.
        Software = "software",
        /// Technology.
        Technology = "technology",
        /// The weights of a model.
        ModelWeights = "model_weights",
    }
}

words! {
    /// What is done with it.
    TransactionActivity {
        /// Out of the home country.
        Export = "export",
        /// From one foreign country to another.
        Reexport = "reexport",
        /// Inside one foreign country.
        Transfer = "transfer",
        /// Release to a foreign person inside a country.
        DeemedExport = "deemed_export",
        /// Training a model for a customer, as a service.
        IaasTraining = "iaas_training",
    }
}

words! {
    /// Who uses it.
    EndUser {
        /// A person or firm not controlled by a government.
        PrivateSector = "private_sector",
        /// A government, or controlled by one.
        Government = "government",
    }
}

words! {
    /// What it is used for.
    EndUse {
        /// Development.
        Develop = "develop",
        /// Production.
        Produce = "produce",
        /// Storage.
        Store = "store",
        /// Training a model.
        TrainModel = "train_model",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// The data center authorization that a consignee holds.
    Veu {
        /// None.
        None = "none",
        /// Universal.
        Universal = "universal",
        /// National.
        National = "national",
    }
}

words! {
    /// Whether the weights of a model are published.
    Weights {
        /// Kept.
        Closed = "closed",
        /// Published.
        Open = "open",
    }
}

words! {
    /// Facts that are so or not.
    Fact {
        /// Designed or marketed for data centers.
        Datacenter = "datacenter",
        /// Direct product.
        DirectProduct = "direct_product",
        /// Knowledge.
        Knowledge = "knowledge",
        /// Part 744.
        Part744 = "part_744",
        /// To a distributor.
        Distributor = "distributor",
        /// Final customers elsewhere.
        CustomersElsewhere = "customers_elsewhere",
        /// Certified.
        Certified = "certified",
        /// A secured facility.
        FacilitySecured = "facility_secured",
        /// Notified.
        Notified = "notified",
        /// Tested.
        Tested = "tested",
        /// Customer known.
        CustomerKnown = "customer_known",
        /// Home content above what is de minimis.
        HomeContent = "home_content",
    }
}

impl Fact {
    /// Its column.
    pub const fn column(self) -> TransactionColumn {
        use TransactionColumn as C;
        match self {
            Fact::Datacenter => C::Datacenter,
            Fact::DirectProduct => C::DirectProduct,
            Fact::Knowledge => C::Knowledge,
            Fact::Part744 => C::Part744,
            Fact::Distributor => C::Distributor,
            Fact::CustomersElsewhere => C::CustomersElsewhere,
            Fact::Certified => C::Certified,
            Fact::FacilitySecured => C::FacilitySecured,
            Fact::Notified => C::Notified,
            Fact::Tested => C::Tested,
            Fact::CustomerKnown => C::CustomerKnown,
            Fact::HomeContent => C::HomeContent,
        }
    }
}

/// A transaction; `None` is what is not known.
#[derive(Clone, PartialEq, Debug)]
pub struct Transaction {
    /// Its name.
    pub id: String,
    /// The day.
    pub on: NaiveDate,
    /// What kind of item.
    pub item_kind: ItemKind,
    /// Name of the device, as in the catalogue.
    pub device: Option<String>,
    /// The classification.
    pub eccn: Option<Eccn>,
    /// TPP of one unit.
    pub tpp_per_unit: Option<Tpp>,
    /// TPP by square millimeter of applicable die area.
    pub performance_density: Option<Decimal>,
    /// GB/s of one unit.
    pub memory_bandwidth_gb_s: Option<Decimal>,
    /// Units.
    pub quantity: Option<u32>,
    /// What is done.
    pub activity: TransactionActivity,
    /// Country of production; `None` is the home country.
    pub made_in: Option<Country>,
    /// Country of ultimate destination.
    pub destination: Country,
    /// Party of the ledger that receives and owns it. It opens nothing by itself.
    pub consignee: Option<String>,
    /// Party of the ledger that operates it, where that is another than the consignee.
    pub operator: Option<String>,
    /// Headquarters of the ultimate consignee.
    pub consignee_headquarters: Option<Country>,
    /// Headquarters of its ultimate parent.
    pub parent_headquarters: Option<Country>,
    /// Headquarters of the owner, where that is another than the consignee.
    pub owner_headquarters: Option<Country>,
    /// Headquarters of the operator, where that is another than the consignee.
    pub operator_headquarters: Option<Country>,
    /// What kind of end user.
    pub end_user: Option<EndUser>,
    /// What it is used for.
    pub end_use: Option<EndUse>,
    /// Authorization of the consignee.
    pub veu: Option<Veu>,
    /// Whether the weights are published.
    pub weights: Option<Weights>,
    /// TPP received under LPP in the calendar year.
    pub lpp_received_tpp: Option<Tpp>,
    /// TPP received under AIA so far.
    pub aia_received_tpp: Option<Tpp>,
    /// Operations of the training.
    pub training_operations: Option<Decimal>,
    /// Operations of further training.
    pub derived_operations: Option<Decimal>,
    /// Percent of shipments that went to China and Macau.
    pub approved_share: Option<Decimal>,
    /// Facts that are so or not, by [`Fact`].
    pub facts: [Option<bool>; Fact::ALL.len()],
}

impl Transaction {
    /// Of a destination on a day; nothing else is known.
    pub fn new(destination: Country, on: NaiveDate) -> Transaction {
        Transaction {
            id: String::new(),
            on,
            item_kind: ItemKind::Commodity,
            device: None,
            eccn: None,
            tpp_per_unit: None,
            performance_density: None,
            memory_bandwidth_gb_s: None,
            quantity: None,
            activity: TransactionActivity::Export,
            made_in: None,
            destination,
            consignee: None,
            operator: None,
            consignee_headquarters: None,
            parent_headquarters: None,
            owner_headquarters: None,
            operator_headquarters: None,
            end_user: None,
            end_use: None,
            veu: None,
            weights: None,
            lpp_received_tpp: None,
            aia_received_tpp: None,
            training_operations: None,
            derived_operations: None,
            approved_share: None,
            facts: [None; Fact::ALL.len()],
        }
    }

    /// A fact.
    pub fn fact(&self, fact: Fact) -> Option<bool> {
        self.facts[fact as usize]
    }

    /// TPP of the whole shipment; `None` when the TPP of a unit or their number is not known, or the product is out of range.
    pub fn shipment_tpp(&self) -> Option<Tpp> {
        self.tpp_per_unit?.times(self.quantity?)
    }
}
